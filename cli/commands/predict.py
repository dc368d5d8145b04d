"""`serinus predict`: sends rows from a file to a deployed endpoint over HTTP."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serinus.cli.console import notice, print_json, results, table
from serinus.cli.errors import CliError, Interrupted
from serinus.cli.request_auth import VARIABLE_TOKEN
from serinus.cli.target import CloudPort, EndpointName, Local
from serinus.cli.termination import ended_in_order

if TYPE_CHECKING:
    from serinus.cli.prediction.run import Predicted

#: Characters of a terminal's 80 that columns of classes may take; of more classes, the most likely are printed.
_WIDEST_CLASSES, _MOST_LIKELY = 56, 3


def predict(
    endpoint: EndpointName,
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="File with rows: .csv with a header, .parquet, .json (a list, or {'rows': […]}) or .jsonl.",
        ),
    ],
    drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", help="Column that is not a feature, such as the label. Repeat for several."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write each row with its predictions to this .csv, .parquet, .json or .jsonl file. A file of "
            "this name must not exist; it appears once all rows are predicted.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar=VARIABLE_TOKEN,
            show_default=False,
            metavar="TOKEN",
            help='Token of the issuer, if the endpoint has auth = "jwt". The variable keeps it off the command '
            "line.",
        ),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            metavar="NAME",
            help="Environment in serinus.toml. Default: local. Without --local, rows for any other one go to AWS.",
        ),
    ] = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print the endpoint's response unchanged (that of several requests as one); with --output, how "
            "many rows were predicted by which version.",
        ),
    ] = False,
) -> None:
    """Send rows to an endpoint: in this project's offline cloud by default, on AWS only with --env.

    Many rows are sent in several requests, within the endpoint's limits. A request that is throttled, or that
    fails in passing, is repeated for half a minute. After a failure, the rows that were predicted are kept beside
    --output, in NAME.partial.csv, or printed.

    Example: [bold]serinus predict churn --data labelled.csv --drop left --output predictions.csv[/]
    """
    from serinus.cli.context import resolve_prediction_context
    from serinus.cli.endpoints import find_endpoint
    from serinus.cli.prediction.output import require_output
    from serinus.cli.prediction.rows import require_pandas
    from serinus.cli.prediction.run import Predicted, PredictionRequest, predict_file
    from serinus.cli.prediction.sending import EndpointClient
    from serinus.cli.request_auth import auth_for

    if not data.exists():
        raise CliError(f"{data} does not exist. --data names the file with the rows.")
    if output is not None:
        require_output(output)
        require_pandas()
    request = PredictionRequest.read(data, tuple(drop or ()), output)
    context = resolve_prediction_context(env, local=local, port=port)
    target = context.target
    deployed = find_endpoint(context.project, context.environment, endpoint, target)
    if target.cloud is not None:
        notice(f"sending the rows of {data} to {target.name}")
    if token and deployed.auth != "jwt":
        notice(f'{endpoint} has auth = "{deployed.auth}", so the token is not sent')
    predicted, began = Predicted(), time.perf_counter()
    auth = auth_for(deployed, target, token)
    try:
        with (
            ended_in_order(),
            EndpointClient(deployed.url, auth, use_proxy=target.cloud is None, report=notice) as client,
        ):
            predict_file(request, client, predicted)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(f"interrupted; {_keep_partial(predicted, as_json=as_json)}") from interrupt
    except (CliError, SystemExit) as error:
        if not predicted.done:
            raise
        notice(_keep_partial(predicted, as_json=as_json))
        raise error
    elapsed_s = time.perf_counter() - began
    _report(predicted, output, elapsed_s, as_json=as_json)


def _report(predicted: "Predicted", output: Path | None, elapsed_s: float, *, as_json: bool) -> None:
    if as_json:
        summary = {"rows": predicted.done, "model": predicted.model, "versions": predicted.versions}
        print_json(predicted.response if output is None else {**summary, "output": str(output)})
        return
    if output is None:
        results.print(render(predicted.response, predicted.done))
    else:
        results.print(f"{predicted.done:,} rows with their predictions are in {output}")
    versions = ", ".join(
        version if len(predicted.versions) == 1 else f"{version} ({rows:,} rows)"
        for version, rows in predicted.versions.items()
    )
    took = f"{elapsed_s * 1000:.1f} ms" if elapsed_s < 1 else f"{elapsed_s:.1f} s"
    notice(f"model {predicted.model} {versions}, {predicted.done:,} rows in {took}")


def _keep_partial(predicted: "Predicted", *, as_json: bool) -> str:
    """Say how many rows were predicted before a failure, and where their predictions are."""
    share = f"{predicted.done:,} of {predicted.count:,} rows were predicted"
    if predicted.partial is not None:
        return f"{share}; they are in {predicted.partial}"
    if predicted.response and not as_json:
        results.print(render(predicted.response, predicted.done))
        return f"{share}, as printed"
    if predicted.done:
        return f"{share}, and their predictions are lost; --output keeps them"
    return "no row was predicted"


def render(response: dict[str, Any], count: int) -> Any:
    """The response as a table, one line per row."""
    series = {name: response[name] for name in ("labels", "values") if name in response} | response.get(
        "outputs", {}
    )
    classes = [str(label) for label in response.get("classes", [])] if "probabilities" in response else []
    are_columns = sum(max(len(label), 6) + 2 for label in classes) <= _WIDEST_CLASSES
    heads = [f">{label}" for label in classes] if are_columns else ["most likely"]
    shown = table("row", *series, *heads)
    for row in range(count):
        cells = [_show(column[row]) for column in series.values()]
        shares = response["probabilities"][row] if classes else []
        if are_columns:
            cells += [f"{share:.4f}" for share in shares]
        else:
            likely = sorted(zip(shares, classes, strict=True), key=lambda pair: -pair[0])[:_MOST_LIKELY]
            cells.append(", ".join(f"{label} {share:.4f}" for share, label in likely))
        shown.add_row(str(row), *cells)
    return shown


def _show(value: Any) -> str:
    return (
        f"{value:.6g}"
        if isinstance(value, float)
        else json.dumps(value)
        if isinstance(value, list)
        else str(value)
    )
