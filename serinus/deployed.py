"""A deployed endpoint, called over HTTP from Python as `serinus predict` calls it."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from serinus.progress_line import ProgressLine

if TYPE_CHECKING:
    from pandas import DataFrame

    from serinus.cli.prediction.sending import EndpointRefusal
    from serinus.cli.request_auth import RequestAuth
    from serinus.cli.target import CloudTarget

_SHOWN_CHARACTERS = 300


class EndpointError(Exception):
    """A deployed endpoint cannot be found or reached, or failed; the message says why and the next step."""


@overload
def predict(
    endpoint: str,
    rows: "DataFrame",
    *,
    env: str | None = None,
    project: str | Path | None = None,
    token: str | None = None,
    progress: bool = True,
) -> "DataFrame": ...


@overload
def predict(
    endpoint: str,
    rows: Sequence[Mapping[str, Any] | Sequence[Any]],
    *,
    env: str | None = None,
    project: str | Path | None = None,
    token: str | None = None,
    progress: bool = True,
) -> list[dict[str, Any]]: ...


def predict(
    endpoint: str,
    rows: Any,
    *,
    env: str | None = None,
    project: str | Path | None = None,
    token: str | None = None,
    progress: bool = True,
) -> Any:
    """Send ``rows`` to the deployed ``endpoint`` over HTTP: in the project's offline cloud, on AWS only with
    ``env``.

    A DataFrame returns a DataFrame with the same index; all else (dicts by feature name, lists in the signature's
    order, an array) a list with a dict for each row. Both have, as far as the model predicts them,
    `predicted_label`, `probability_CLASS`, `predicted_value`, and `predicted_OUTPUT` for other outputs. Rows
    beyond the endpoint's limits are sent in several requests.

    ``project`` is the folder with serinus.toml; None: the working folder, or the nearest one above it. ``token``
    is the issuer's, if the endpoint has auth = "jwt"; None: that of the variable SERINUS_TOKEN. ``progress`` shows
    a line while several requests are sent.

    Raises `RequestRejected` for rows that the endpoint rejects, `EndpointError` where it cannot be found or
    reached or fails, and TypeError for values of other types.
    """
    from serinus.rows import plain_records

    records = plain_records(rows, ())
    deployed = _find(endpoint, env, project, token)
    fields: dict[str, list[Any]] = {}
    requests = 0
    with ProgressLine(f"predicting {endpoint}", max(len(records), 1), silent=not progress) as shown:
        for done, response in _responses(deployed, records):
            requests += 1
            if done < len(records) or requests > 1:
                shown.show(done, f"{done:,} of {len(records):,} rows")
            for name, values in prediction_fields(response).items():
                fields.setdefault(name, []).extend(values)
        if requests > 1:
            shown.finish(f"predicted {len(records):,} rows in {requests} requests")
    if hasattr(rows, "columns"):  # a DataFrame, as `plain_records` knows
        from pandas import DataFrame

        return DataFrame(fields, index=rows.index)
    return [dict(zip(fields, row, strict=True)) for row in zip(*fields.values(), strict=True)]


def prediction_fields(response: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The predictions of a response by name, one a row; lists of a fixed meaning by place become fields."""
    fields: dict[str, list[Any]] = {}
    if "labels" in response:
        fields["predicted_label"] = response["labels"]
    for name, values in (
        ("probability", response.get("probabilities")),
        ("predicted_value", response.get("values")),
    ):
        if values is None:
            continue
        classes = response.get("classes") if name == "probability" else None
        if isinstance(values[0], list):
            for place, key in enumerate(classes or range(len(values[0]))):
                fields[f"{name}_{key}"] = [row[place] for row in values]
        else:
            fields[name] = values
    return fields | {f"predicted_{name}": values for name, values in response.get("outputs", {}).items()}


@dataclass(frozen=True, slots=True)
class _DeployedEndpoint:
    """Where rows are sent, and the most rows and bytes of one request."""

    url: str
    auth: "RequestAuth"
    use_proxy: bool
    max_rows: int
    max_body_bytes: int


def _find(name: str, environment: str | None, project: str | Path | None, token: str | None) -> _DeployedEndpoint:
    """The endpoint as it is deployed; raises `EndpointError`."""
    from serinus.cli.endpoints import find_endpoint
    from serinus.cli.project import find_project
    from serinus.cli.refusals import refusals
    from serinus.cli.request_auth import VARIABLE_TOKEN, auth_for
    from serinus.cli.target import CloudTarget, environment_for
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings

    try:
        folder = find_project(None if project is None else Path(project))
        target = _target(folder, environment)
        settings = load_settings(folder / SETTINGS, environment_for(target, environment))
        if target.cloud is None:
            target = CloudTarget(None, settings.region)
        endpoint = find_endpoint(folder, settings.environment, name, target)
        auth = auth_for(endpoint, target, token or os.environ.get(VARIABLE_TOKEN))
    except refusals() as error:
        raise EndpointError(str(error)) from error
    limits = next(item.settings for item in settings.endpoints if item.name == name)
    return _DeployedEndpoint(endpoint.url, auth, target.cloud is None, limits.max_rows, limits.max_body_bytes)


def _target(project: Path, environment: str | None) -> "CloudTarget":
    """As `serinus predict` chooses it, with an error in Python's words where no cloud runs."""
    from serinus.cli import offline_process
    from serinus.cli.target import select_prediction_target
    from serinus.infra.names import DEFAULT_ENVIRONMENT

    if environment is None and offline_process.find(project) is None:
        raise EndpointError(
            "no offline cloud of this project is running, and rows are sent to AWS only with env. Run `serinus "
            f'local up` and `serinus deploy --local`, or pass env="{DEFAULT_ENVIRONMENT}" to use AWS.'
        )
    return select_prediction_target(project, environment, local=False, port=None)


def _responses(endpoint: _DeployedEndpoint, records: list[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The responses to ``records``, in order, with the number of those answered so far."""
    from serinus.cli.prediction.batches import RequestLimits, predict_in_batches
    from serinus.cli.prediction.sending import EndpointClient
    from serinus.rows import encode_records

    limits = RequestLimits(endpoint.max_rows, endpoint.max_body_bytes)
    with EndpointClient(endpoint.url, endpoint.auth, use_proxy=endpoint.use_proxy) as client, _errors():
        if not records:
            yield 0, client.post(encode_records([]))
        for batch in predict_in_batches(
            client,
            lambda start, stop: records[start:stop],
            len(records),
            limits,
            lambda rows, _first_row: encode_records(rows),
        ):
            yield batch.stop, batch.response


def post_rows(base: str, auth: "RequestAuth", body: bytes) -> dict[str, Any]:
    """The first response of the endpoint at ``base`` on this machine to ``body``, the JSON of a request. Raises
    `RequestRejected` where it rejects the rows, and `EndpointError`."""
    from serinus.cli.prediction.sending import EndpointClient

    with EndpointClient(base, auth, pauses_s=()) as client, _errors():
        return client.post(body)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Raise what the command line would print as an error of this package."""
    from serinus.cli.errors import CliError
    from serinus.cli.prediction.sending import EndpointRefusal

    try:
        yield
    except EndpointRefusal as error:
        raise _failure(error) from None
    except CliError as error:
        raise EndpointError(f"{error} Check that it runs.") from error


def _failure(refusal: "EndpointRefusal") -> Exception:
    """The error for a response of another status than 200: a rejection where the endpoint's own problem document
    says so, with rows counted from the first of all; or what API Gateway or Lambda answered."""
    import msgspec
    from msgspec.structs import replace

    from serinus.lambda_handlers.inference.problems import Problem
    from serinus.loaded import RequestRejected

    answered = f"{refusal.url} answered {refusal.status}"
    try:
        problem = msgspec.json.decode(refusal.body, type=Problem)
    except msgspec.MsgspecError:
        return EndpointError(f"{answered}: {_message(refusal.body)}. `serinus logs` shows the function's log.")
    if refusal.status >= 500:
        return EndpointError(f"{answered}: {problem.detail}")
    faults = tuple(
        fault if fault.row is None else replace(fault, row=fault.row + refusal.first_row)
        for fault in problem.errors
    )
    return RequestRejected(replace(problem, errors=faults), over_http=True)


def _message(body: bytes) -> str:
    """What an answer that is no problem document says, in one line."""
    text = body.decode(errors="replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    return " ".join(text.split())[:_SHOWN_CHARACTERS].rstrip(".") or "nothing"
