"""`serinus predict`: rows from a file to a deployed endpoint, over plain HTTP."""

import csv
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serinus.cli.console import notice, print_json, results, table
from serinus.cli.errors import CliError
from serinus.cli.request_auth import VARIABLE_TOKEN
from serinus.cli.target import CloudPort, Environment, Local

if TYPE_CHECKING:
    import httpx

    from serinus.cli.request_auth import Caller


def predict(
    endpoint: Annotated[str, typer.Argument(help="Endpoint.")],
    data: Annotated[
        Path, typer.Option(help="Rows: .json (a list, or {'rows': […]}), .jsonl, or .csv with a header.")
    ],
    token: Annotated[
        str | None,
        typer.Option(
            envvar=VARIABLE_TOKEN,
            show_default=False,
            help="A token of the issuer, where auth is jwt; better as variable.",
        ),
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="The endpoint's answer as it is.")] = False,
) -> None:
    """Send rows to an endpoint: of the offline cloud that runs here, of AWS only with --env.

    Example: [bold]serinus predict churn --data rows.json[/]
    """
    from serinus.cli.context import stand_by_name
    from serinus.cli.endpoints import find_endpoint
    from serinus.cli.request_auth import caller_of

    rows = read_rows(data)
    place = stand_by_name(env, local=local, port=port)
    target = place.target
    found = find_endpoint(place.project, place.environment, endpoint, target)
    if target.cloud is not None:
        notice(f"asking {target.name}")
    if token and found.auth != "jwt":
        notice(f'{endpoint} has auth = "{found.auth}": the token is not sent')
    answer, seconds = send(found.url, caller_of(found, target, token), rows, by_proxy=target.cloud is None)
    if as_json:
        print_json(answer)
        return
    results.print(render(answer, len(rows)))
    notice(f"model {answer['model']} {answer['version']}, {len(rows)} rows in {seconds * 1000:.1f} ms")


def read_rows(path: Path) -> list[Any]:
    """The rows in ``path``; `CliError` when it cannot be read as its suffix promises."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".csv":
            rows: Any = [
                {key: _cell(cell) for key, cell in row.items()} for row in csv.DictReader(text.splitlines())
            ]
        elif path.suffix == ".jsonl":
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            rows = json.loads(text)
    except FileNotFoundError as error:
        raise CliError(f"{path} does not exist.") from error
    except (ValueError, OSError) as error:
        raise CliError(f"{path} cannot be read as {path.suffix or '.json'}: {error}") from error
    if isinstance(rows, dict):
        rows = rows.get("rows", [rows])
    if not isinstance(rows, list) or not rows:
        raise CliError(f"{path} holds no rows; it should be a list of records, or {{'rows': [...]}}.")
    return rows


def send(base: str, caller: "Caller", rows: list[Any], *, by_proxy: bool = False) -> tuple[dict[str, Any], float]:
    """The answer of the endpoint at ``base`` and the seconds it took; `CliError` with the endpoint's own words
    when it refuses. With ``by_proxy`` a proxy that the shell names is used."""
    import httpx

    url, sent = f"{base}/predict", json.dumps({"rows": rows}).encode()
    began = time.perf_counter()
    try:
        answer = httpx.post(url, content=sent, headers=caller.headers(url, sent), timeout=60, trust_env=by_proxy)
    except httpx.TransportError as error:
        raise CliError(f"{base} did not answer: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise CliError(f"{url} answered {answer.status_code}:\n{_explain(answer)}")
    body: dict[str, Any] = answer.json()
    return body, time.perf_counter() - began


def render(answer: dict[str, Any], count: int) -> Any:
    """The answer as a table, a line a row."""
    series = {name: answer[name] for name in ("labels", "values") if name in answer} | answer.get("outputs", {})
    classes = [f">{label}" for label in answer.get("classes", [])] if "probabilities" in answer else []
    shown = table("row", *series, *classes)
    for row in range(count):
        cells = [_show(column[row]) for column in series.values()]
        shares = [f"{share:.4f}" for share in answer["probabilities"][row]] if classes else []
        shown.add_row(str(row), *cells, *shares)
    return shown


def _cell(text: str | None) -> Any:
    """A CSV cell as JSON would hold it: null, a number, true or false where it reads as one, text otherwise."""
    if text is None or text == "":
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def _show(value: Any) -> str:
    return (
        f"{value:.6g}"
        if isinstance(value, float)
        else json.dumps(value)
        if isinstance(value, list)
        else str(value)
    )


def _explain(answer: "httpx.Response") -> str:
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:500]
    # API Gateway says only here what is wrong with a token.
    told = re.search(r'error_description="([^"]*)"', answer.headers.get("www-authenticate", ""))
    lines = [str(problem.get("detail") or problem.get("message") or problem)]
    lines += [
        f"  row {error.get('row')}, {error.get('field')}: {error.get('value')!r} {error.get('rule')}"
        for error in problem.get("errors", [])[:10]
    ]
    return "\n".join([*lines, *([told[1]] if told else [])])
