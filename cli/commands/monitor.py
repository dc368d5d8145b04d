"""`serinus monitor`: shows how live traffic compares with the reference, and accepts live traffic as one."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serinus.cli.console import notice, print_json, results, table
from serinus.cli.context import CommandContext, resolve_context
from serinus.cli.errors import CliError
from serinus.cli.target import AsJson, CloudPort, EndpointName, EndpointNames, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.monitoring.reader import MonitorBucket

app = typer.Typer(
    help="Show how live traffic compares with what the model was packaged with.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
#: Seconds between reads of `watch`: the monitor looks once an hour.
_WATCH_S = 30.0
#: Columns that the text report shows beside those that drift.
_SHOWN = 12


@app.command()
def status(
    endpoints: EndpointNames = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: AsJson = False,
) -> None:
    """Show each monitored endpoint in a line: what was found, rows and coverage of the last day.

    Example: [bold]serinus monitor status --env prod[/]
    """
    from serinus.cli.monitoring.page import coverage_words, in_minutes
    from serinus.cli.monitoring.reader import functions_of

    context, bucket = _open(env, local=local, port=port)
    reports = {name: bucket.latest(function) for name, function in functions_of(context, endpoints or []).items()}
    if as_json:
        print_json(reports)
        return
    shown = table("endpoint", "findings", "rows a day", "coverage", "looked until")
    for name, report in reports.items():
        if report is None:
            shown.add_row(name, "no report yet", "", "", "")
            continue
        findings = "; ".join(finding["text"] for finding in report["findings"]) or "none"
        rows = sum(item["rows"] for item in report["baselines"])
        shown.add_row(name, findings, f"{rows:,}", coverage_words(report), in_minutes(report["until"]))
    results.print(shown)


@app.command()
def report(
    endpoint: EndpointName,
    day: Annotated[str | None, typer.Option(metavar="DATE", help="Day, such as 2026-11-30. Default: now.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the report, as one self-contained HTML page.")
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: AsJson = False,
) -> None:
    """Show an endpoint's report: the verdict in words, findings, evidence and effect size by column.

    Example: [bold]serinus monitor report churn --html churn.html[/]
    """
    from serinus.cli.html_output import require_writable, write_page
    from serinus.cli.monitoring.page import render
    from serinus.cli.monitoring.reader import functions_of, read_report

    if html is not None:
        require_writable(html)
    context, bucket = _open(env, local=local, port=port)
    report = read_report(bucket, endpoint, functions_of(context, [endpoint])[endpoint], day)
    if as_json:
        print_json(report)
    elif html is not None:
        write_page(html, render(endpoint, report))
        results.print(str(html))
    else:
        _print_report(report)


@app.command()
def accept(
    endpoint: EndpointName,
    days: Annotated[int, typer.Option(min=1, max=90, help="Days of live traffic until now.")] = 7,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Baseline, if versions count under several. Default: the busiest."),
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: AsJson = False,
) -> None:
    """Make the last days of live traffic the reference, after you have looked at a drift and found it harmless.
    Evidence begins anew. Earlier references are kept.

    Example: [bold]serinus monitor accept churn --days 7[/]
    """
    from serinus.cli.monitoring.acceptance import accept_live
    from serinus.cli.monitoring.reader import functions_of

    context, bucket = _open(env, local=local, port=port)
    function = functions_of(context, [endpoint])[endpoint]
    accepted = accept_live(bucket, endpoint, function, baseline=baseline, days=days, now=context.now())
    if as_json:
        print_json(accepted)
    else:
        results.print(f"{endpoint}: reference {accepted['number']} is {accepted['reference']}")


@app.command()
def watch(
    endpoint: EndpointName,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
) -> None:
    """Print each new report of an endpoint in a line, until Ctrl-C.

    Example: [bold]serinus monitor watch churn[/]
    """
    from serinus.cli.monitoring.page import in_minutes
    from serinus.cli.monitoring.reader import functions_of

    context, bucket = _open(env, local=local, port=port)
    function = functions_of(context, [endpoint])[endpoint]
    last = ""
    while True:
        look = bucket.latest(function)
        if look is not None and look["until"] != last:
            last = look["until"]
            results.print(f"{in_minutes(last)}  {look['title']}. {look['text']}", markup=False)
        elif not last:
            notice("no report yet: the monitor looks ten minutes after each hour")
            last = "-"
        time.sleep(_WATCH_S)


def _open(env: str | None, *, local: bool, port: int | None) -> "tuple[CommandContext, MonitorBucket]":
    from serinus.cli.monitoring.reader import open_bucket
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings

    context = resolve_context(env, local=local, port=port)
    settings = load_settings(context.project / SETTINGS, context.environment)
    if not settings.endpoints:
        raise CliError(f"{SETTINGS} has no endpoint. Write [endpoint.NAME] for a packaged model.")
    return context, open_bucket(context, settings.project)


def _print_report(report: dict[str, Any]) -> None:
    from serinus.cli.monitoring.columns import view_columns
    from serinus.cli.monitoring.page import coverage_words, in_minutes

    results.print(report["title"], style="bold", markup=False)
    results.print(report["text"], markup=False)
    results.print(
        f"until {in_minutes(report['until'])} UTC; {coverage_words(report)} of the last day's requests "
        "were counted",
        markup=False,
    )
    for item in report["baselines"]:
        for clock, look in item["looks"].items():
            results.print(
                f"{clock} clock: evidence {look['evidence']:,.3g} to 1, alarms at {look['alarms_at']:,.0f} to 1",
                markup=False,
            )
    views = view_columns(report)
    shown = table("column", "", "evidence", "PSI", "bin that moved most", "reference", "last day")
    for view in [view for view in views if view.drifts] + [view for view in views if not view.drifts][:_SHOWN]:
        state = "drifts" if view.drifts else "" if view.tested else "not tested"
        word, before, now = view.moved or ("", 0.0, 0.0)
        shares = (f"{before:.1%}", f"{now:.1%}") if view.moved else ("", "")
        shown.add_row(view.name, state, f"{view.evidence:.1%}", f"{view.stability:.3f}", word, *shares)
    results.print(shown)
