"""`serinus simulate`: plays days of live traffic against an endpoint and its monitor."""

import random
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import Interrupted, WrongUsage
from serinus.cli.project import find_project
from serinus.cli.target import AsJson, EndpointName
from serinus.cli.termination import ended_in_order
from serinus.infra.names import DEFAULT_ENVIRONMENT

#: The folder of each endpoint's last report.
PAGES = ".serinus/simulations"
LARGEST_SEED = 2**63 - 1


def simulate(
    endpoint: EndpointName,
    days: Annotated[int, typer.Option(min=1, max=366, metavar="NUMBER", help="Days of traffic.")] = 14,
    drift: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DRIFT",
            help="What changes, and from which day on: age:+0.5sd@day3, plan:basic-10pt@day3 or "
            "income:missing=5%@day3. Can be repeated.",
        ),
    ] = None,
    season: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Numbers follow the hour of the day by so much, such as 0.3sd."),
    ] = None,
    clusters: Annotated[
        int, typer.Option(min=1, max=1000, metavar="NUMBER", help="Rows alike that come together.")
    ] = 1,
    rows: Annotated[int, typer.Option(min=40, max=100_000, metavar="NUMBER", help="Rows an hour.")] = 1000,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Rows to draw from, as .csv or .parquet. Default: rows with the shares of the reference.",
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of --data with times: its rows are replayed by them."),
    ] = None,
    env: Annotated[
        str, typer.Option(metavar="NAME", help="Environment whose settings and pin to simulate.")
    ] = DEFAULT_ENVIRONMENT,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=LARGEST_SEED, metavar="NUMBER", help="Random seed. Default: a new one."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"File for the report, one HTML page. Default: ENDPOINT.html in {PAGES}."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play days of live traffic in an offline cloud of its own, and report what the endpoint's monitor finds. Time
    in which nothing happens is skipped. The project and its running clouds do not change.

    Exit codes: 0 each drift was found by its column, or there was none and no alarm; 1 the simulation could not
    run; 2 usage; 3 a drift was not found; 4 a false alarm; 130 interrupted.

    Example: [bold]serinus simulate churn --drift age:+0.5sd@day3[/]
    """
    from serinus.cli.html_output import require_writable, write_page
    from serinus.cli.offline_process import require_extra
    from serinus.cli.rehearse.live import LiveView
    from serinus.cli.simulate.drift import parse_season
    from serinus.cli.simulate.json_output import as_data
    from serinus.cli.simulate.outcome import evaluate
    from serinus.cli.simulate.page import render
    from serinus.cli.simulate.run import SimulationOptions, run_simulation

    if time is not None and data is None:
        raise WrongUsage(f"--time {time} names a column of a table. Pass the table with --data.")
    if season is not None and data is not None:
        raise WrongUsage("--season is for rows of the reference; the rows of --data have seasons of their own.")
    if html is not None:
        require_writable(html)
    require_extra()
    options = SimulationOptions(
        project=find_project(),
        environment=env,
        endpoint=endpoint,
        days=days,
        rows_per_hour=rows,
        drifts=tuple(drift or ()),
        season_sd=parse_season(season) if season else 0.0,
        clusters=clusters,
        data=data,
        time_column=time,
        seed=random.SystemRandom().randrange(2**31) if seed is None else seed,
    )
    report = html or options.project / PAGES / f"{endpoint}.html"
    try:
        with ended_in_order(), LiveView() as view:
            record = run_simulation(options, view, _show_day)
        result = evaluate(record)
        # Printed first: a page that cannot be written must not lose it.
        if as_json:
            print_json(as_data(record, result, options.seed))
        else:
            results.print(f"{result.headline}. ", style="bold", end="")
            results.print(result.summary, markup=False)
        write_page(report, render(record, result))
    except KeyboardInterrupt as interrupt:
        raise Interrupted(
            f"the simulation was interrupted and its cloud was stopped; {report} was not written"
        ) from interrupt
    notice(f"report: {report}")
    raise typer.Exit(result.outcome.value)


def _show_day(day: int, days: int, found: str) -> None:
    notice(f"day {day} of {days}: {found}")
