"""`serinus predict`: sends rows from a file to a deployed endpoint over HTTP."""

import csv
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from serinus.cli.console import notice, print_json, results, table
from serinus.cli.errors import CliError
from serinus.cli.request_auth import VARIABLE_TOKEN
from serinus.cli.target import CloudPort, EndpointName, Local


def predict(
    endpoint: EndpointName,
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="File with rows: .json (a list, or {'rows': […]}), .jsonl, or .csv with a header."
        ),
    ],
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the endpoint's response unchanged.")] = False,
) -> None:
    """Send rows to an endpoint: in this project's offline cloud by default, on AWS only with --env.

    Example: [bold]serinus predict churn --data rows.json[/]
    """
    from serinus.cli.context import resolve_prediction_context
    from serinus.cli.endpoints import find_endpoint
    from serinus.cli.prediction.sending import send
    from serinus.cli.request_auth import auth_for

    rows = read_rows(data)
    context = resolve_prediction_context(env, local=local, port=port)
    target = context.target
    deployed = find_endpoint(context.project, context.environment, endpoint, target)
    if target.cloud is not None:
        notice(f"sending {len(rows)} rows to {target.name}")
    if token and deployed.auth != "jwt":
        notice(f'{endpoint} has auth = "{deployed.auth}", so the token is not sent')
    response, elapsed_s = send(
        deployed.url, auth_for(deployed, target, token), rows, use_proxy=target.cloud is None
    )
    if as_json:
        print_json(response)
        return
    results.print(render(response, len(rows)))
    notice(f"model {response['model']} {response['version']}, {len(rows)} rows in {elapsed_s * 1000:.1f} ms")


def read_rows(path: Path) -> list[Any]:
    """The rows in ``path``; raises `CliError` if it cannot be read in its suffix's format."""
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
        raise CliError(f"{path} does not exist. --data names the file with the rows.") from error
    except (ValueError, OSError) as error:
        raise CliError(f"{path} cannot be read as {path.suffix or '.json'}: {error}") from error
    if isinstance(rows, dict):
        rows = rows.get("rows", [rows])
    if not isinstance(rows, list) or not rows:
        raise CliError(f"{path} holds no rows. It must hold a list of records, or {{'rows': [...]}}.")
    return rows


def render(response: dict[str, Any], count: int) -> Any:
    """The response as a table, one line per row."""
    series = {name: response[name] for name in ("labels", "values") if name in response} | response.get(
        "outputs", {}
    )
    classes = [f">{label}" for label in response.get("classes", [])] if "probabilities" in response else []
    shown = table("row", *series, *classes)
    for row in range(count):
        cells = [_show(column[row]) for column in series.values()]
        shares = [f"{share:.4f}" for share in response["probabilities"][row]] if classes else []
        shown.add_row(str(row), *cells, *shares)
    return shown


def _cell(text: str | None) -> Any:
    """A CSV cell as JSON would hold it: null, a number, true or false if it reads as one, else text."""
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
