"""`serinus rehearse`: watch a release, good or bad, before it is one."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import CliError, Interrupted
from serinus.cli.project import find_project
from serinus.infra.names import DEFAULT_ENVIRONMENT

#: Where a project keeps the page of each endpoint's last rehearsal.
PAGES = ".serinus/rehearsals"


def rehearse(
    endpoint: Annotated[str, typer.Argument(help="Endpoint.")],
    candidate: Annotated[
        str | None,
        typer.Option(help="Bundle to release: its folder or version; by default the locked one once more."),
    ] = None,
    inject: Annotated[
        str | None,
        typer.Option(help="Its fault: errors=20%, latency=+300ms, wrong-answers, nan, crash or slow-init."),
    ] = None,
    env: Annotated[str, typer.Option(help="Environment whose settings are rehearsed.")] = DEFAULT_ENVIRONMENT,
    rate: Annotated[float, typer.Option(min=1, max=2000, help="Requests a second.")] = 200,
    speed: Annotated[float, typer.Option(min=1, max=600, help="Cloud seconds per real second.")] = 60,
    seed: Annotated[int | None, typer.Option(help="Seed of alias weights and faults.")] = None,
    metric_delay: Annotated[
        float, typer.Option(min=0, max=900, help="Cloud seconds until CloudWatch shows a metric.")
    ] = 90,
    html: Annotated[
        Path | None,
        typer.Option(help=f"Where to write the report, one page of HTML; {PAGES}/ENDPOINT.html unless told."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Release a candidate in an offline cloud of its own, under traffic, and see whether it is promoted.

    Exit 0 when it was promoted, 3 when it was rolled back, 4 when there was not enough evidence to judge it, 5
    when the judge's word to roll it back came too late.

    Example: [bold]serinus rehearse churn --inject errors=20%[/]
    """
    from serinus.cli.html_output import require_writable, write_page
    from serinus.cli.offline_process import require_extra
    from serinus.cli.rehearse.injection import parse
    from serinus.cli.rehearse.json_output import as_data
    from serinus.cli.rehearse.live import LiveView
    from serinus.cli.rehearse.outcome import tell
    from serinus.cli.rehearse.page import render
    from serinus.cli.rehearse.run import Order, perform
    from serinus.cli.rehearse.summary import headline, summary

    if html is not None:
        require_writable(html)
    require_extra()
    order = Order(
        project=find_project(),
        environment=env,
        endpoint=endpoint,
        candidate=candidate,
        injection=None if inject is None else parse(inject),
        rate=rate,
        speed=speed,
        seed=seed,
        metric_delay_s=metric_delay,
    )
    report = html or order.project / PAGES / f"{endpoint}.html"
    signal.signal(signal.SIGTERM, _end)
    try:
        with LiveView() as view:
            record = perform(order, view)
        if record.canary is None:
            raise CliError(f"the candidate never became a version of the function:\n{record.deploy_log}")
        story = tell(record)
        # First, so that a page that cannot be written does not lose it.
        if as_json:
            print_json(as_data(record, story))
        else:
            results.print(f"{headline(story)}. ", style="bold", end="")
            results.print(" ".join(summary(record, story)))
        write_page(report, render(record, story))
    except KeyboardInterrupt as interrupt:
        raise Interrupted(
            f"the rehearsal was interrupted and its cloud taken down; {report} was not written"
        ) from interrupt
    notice(f"report: {report}")
    raise typer.Exit(story.outcome.value)


def _end(_signal: int, _frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that cloud and scratch copy are taken down."""
    sys.exit(143)
