"""`serinus rehearse`: tries out a release, good or bad, before it is made."""

from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import CliError, Interrupted, WrongUsage
from serinus.cli.finite import finite
from serinus.cli.project import find_project
from serinus.cli.readings import ReadingPairs, ReadingsFile, merge_readings
from serinus.cli.rehearse.against import Against
from serinus.cli.target import AsJson, CloudPort, EndpointName
from serinus.cli.termination import ended_in_order
from serinus.infra.names import DEFAULT_ENVIRONMENT
from serinus.offline.core.readings import Seconds

#: The folder of each endpoint's last report.
PAGES = ".serinus/rehearsals"
LARGEST_SEED = 2**63 - 1
#: Cloud seconds per real second.
DEFAULT_SPEED = 60.0


def rehearse(
    endpoint: EndpointName,
    candidate: Annotated[
        str | None,
        typer.Option(
            metavar="BUNDLE",
            help="Bundle to release: its folder, or the start of a version in bundles/. Default: the newest one "
            "that no environment pins, if it is newer than the pinned one; else the pinned one again.",
        ),
    ] = None,
    against: Annotated[
        Against,
        typer.Option(
            help="Bundle that serves first: pinned, the one in serinus.lock; or live, the one that the deployed "
            "endpoint serves now."
        ),
    ] = Against.PINNED,
    inject: Annotated[
        str | None,
        typer.Option(
            metavar="FAULT",
            help="Inject a fault into the candidate: errors=20%, latency=+300ms, crash, slow-init, wrong-answers "
            "or nan.",
        ),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Environment whose settings and pin to rehearse.",
            show_default=DEFAULT_ENVIRONMENT,
        ),
    ] = None,
    local: Annotated[
        bool,
        typer.Option(
            "--local",
            help="With --against live: read it from this project's offline cloud, in environment local unless "
            "--env names another. Without --local: from AWS.",
        ),
    ] = False,
    port: CloudPort = None,
    rate: Annotated[
        float,
        typer.Option(
            min=1,
            max=2000,
            callback=finite,
            metavar="NUMBER",
            help="Requests per real second sent to the endpoint; with --stepped, per cloud minute.",
        ),
    ] = 200,
    speed: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=600,
            callback=finite,
            metavar="NUMBER",
            help="Cloud seconds per real second. At 60, an hour's bake takes a minute.",
            show_default="60",
        ),
    ] = None,
    stepped: Annotated[
        bool,
        typer.Option(
            "--stepped",
            help="Skip the cloud time in which nothing happens, and send requests in batches: fast, and a busy "
            "machine does not change the result. Excludes --speed.",
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LARGEST_SEED,
            metavar="NUMBER",
            help="Random seed for routing, faults and rows, to repeat a rehearsal. Default: a new one each time.",
        ),
    ] = None,
    metric_delay: Annotated[
        float,
        typer.Option(
            min=0,
            max=900,
            callback=finite,
            metavar="SECONDS",
            help="Cloud seconds until a metric appears in CloudWatch: up to about 120 on AWS. Short for --reading "
            "metric-delay=SECONDS.",
        ),
    ] = 90,
    reading: ReadingPairs = None,
    readings: ReadingsFile = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"File for the report, one HTML page. Default: ENDPOINT.html in {PAGES}."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Release a candidate under traffic, in an offline cloud of its own, and report whether it is promoted.

    The pinned bundle is deployed first (or the live one, with --against live), then the candidate is released with
    the environment's rollout strategy. `serinus package --candidate` makes one. The project and its running clouds
    do not change.

    Faults for --inject: errors=20% makes this share of live requests fail; latency=+300ms delays each one; crash
    crashes the worker on a fifth of them; slow-init adds 3 s to each cold start; wrong-answers and nan change the
    model's outputs, which the pre-traffic check must detect.

    Exit codes: 0 promoted; 1 the rehearsal could not run; 2 usage; 3 rolled back; 4 promoted without enough
    evidence to judge it; 5 promoted because the verdict to roll back came too late; 130 interrupted.

    Example: [bold]serinus rehearse churn --inject errors=20%[/]
    """
    from serinus.cli.context import resolve_context
    from serinus.cli.html_output import require_writable, write_page
    from serinus.cli.offline_process import require_extra
    from serinus.cli.rehearse.compared import compare_with_live, compare_with_pinned
    from serinus.cli.rehearse.injection import parse
    from serinus.cli.rehearse.json_output import as_data
    from serinus.cli.rehearse.live import LiveView
    from serinus.cli.rehearse.outcome import evaluate
    from serinus.cli.rehearse.page import render
    from serinus.cli.rehearse.run import RehearsalOptions, run_rehearsal
    from serinus.cli.rehearse.summary import headline, summary
    from serinus.infra.names import SETTINGS, stack_name
    from serinus.infra.settings import load_settings

    if stepped and speed is not None:
        raise WrongUsage("--stepped excludes --speed: it skips time instead of speeding it up. Leave one out.")
    if against is Against.PINNED and (local or port is not None):
        raise WrongUsage(
            f"{'--local' if local else f'--port {port}'} selects the cloud for --against live, and --against is "
            "pinned. Add --against live, or leave it out."
        )
    if html is not None:
        require_writable(html)
    require_extra()
    values = merge_readings(reading, readings)
    if "metric-delay" in values:
        metric_delay = Seconds.parse(values["metric-delay"]).high
    project, environment = find_project(), env or DEFAULT_ENVIRONMENT
    fault = None if inject is None else parse(inject)
    settings = load_settings(project / SETTINGS, environment)
    if against is Against.LIVE:
        context = resolve_context(env, local=local, port=port)
        stack = stack_name(settings.project, context.environment, endpoint)
        compared = compare_with_live(project, settings, endpoint, candidate, context.target, stack)
    else:
        compared = compare_with_pinned(project, settings, endpoint, candidate)
    options = RehearsalOptions(
        project=project,
        environment=environment,
        endpoint=endpoint,
        candidate=None if compared.candidate is None else str(compared.candidate),
        injection=fault,
        rate=rate,
        speed=None if stepped else speed or DEFAULT_SPEED,
        seed=seed,
        metric_delay_s=metric_delay,
        readings=values,
        stable=compared.stable,
    )
    report = html or options.project / PAGES / f"{endpoint}.html"
    try:
        with ended_in_order(), LiveView() as view:
            record = run_rehearsal(options, view)
        if record.canary is None:
            raise CliError(f"no version of the function was published for the candidate:\n{record.deploy_log}")
        result = evaluate(record)
        # Printed first: a page that cannot be written must not lose it.
        if as_json:
            print_json(as_data(record, result))
        else:
            results.print(f"{headline(result)}. ", style="bold", end="")
            results.print(" ".join(summary(record, result)))
        write_page(report, render(record, result))
    except KeyboardInterrupt as interrupt:
        raise Interrupted(
            f"the rehearsal was interrupted and its cloud was stopped; {report} was not written"
        ) from interrupt
    notice(f"report: {report}")
    raise typer.Exit(result.outcome.value)
