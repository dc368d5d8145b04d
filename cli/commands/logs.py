"""`serinus logs`: prints the log of an endpoint's functions as readable lines."""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from serinus.cli.console import notice, results
from serinus.cli.errors import INTERRUPTED_EXIT_CODE, WrongUsage
from serinus.cli.printable import printable
from serinus.cli.target import CloudPort, EndpointName, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.log_lines import LogEntry
    from serinus.cli.log_tail import LogFilter, LogSource, LogTail
    from serinus.cli.target import CloudTarget

#: Real seconds between polls: AWS limits how often a log group may be read.
POLL_INTERVAL_S = 2.0
LOCAL_POLL_INTERVAL_S = 0.25
#: Seconds by which an event may arrive late in CloudWatch Logs; offline in real seconds.
LAG_S = 30.0
LOCAL_LAG_S = 2.0

#: Ten years, before which no such log exists.
LONGEST_SPAN_S = 3653 * 86_400

_SPAN = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?P<unit>[smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STYLES = {"ERROR": "bold red", "WARNING": "yellow", "INFO": "", "DEBUG": "dim"}


class LogLevel(StrEnum):
    """The lowest level that is shown; `debug` includes all of Lambda's own lines. The endpoint's function has only
    those on failures."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogOrigin(StrEnum):
    """The log that is read: that of the endpoint's function, of one that takes part in its releases, or of the
    API's calls."""

    FUNCTION = "function"
    BEFORE = "before"
    JUDGE = "judge"
    AFTER = "after"
    FIRST = "first"
    RETIRE = "retire"
    ACCESS = "access"
    ALL = "all"


def logs(
    endpoint: EndpointName,
    of: Annotated[
        LogOrigin,
        typer.Option(
            help="Which log: the endpoint's function, its judge, its pre-traffic (before) or post-traffic (after) "
            "check, the check of the first deploy (first), the clean-up of old versions (retire), the calls to "
            "the API (access), or all."
        ),
    ] = LogOrigin.FUNCTION,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines until Ctrl-C.")] = False,
    since: Annotated[
        str, typer.Option(metavar="SPAN", help="How far back, such as 45s, 10m, 2h or 3d. Offline: cloud time.")
    ] = "10m",
    level: Annotated[
        LogLevel, typer.Option(help="Lowest level to print. debug includes Lambda's own lines.")
    ] = LogLevel.INFO,
    request: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Print only this request: the header x-amzn-RequestId of its response, or Lambda's ID. A busy "
            "function's answered requests share lines; see request_log.",
        ),
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Print the log of an endpoint: time (UTC), level, version, route, rows, milliseconds, status and outcome.

    With retain_logs, the log of an endpoint that was destroyed, or whose first deploy failed, can still be read.

    Example: [bold]serinus logs churn --local --since 1h --level warning[/]
    """
    from serinus.cli.context import cloud_time, resolve_context
    from serinus.cli.endpoints import describe_stack, find_stack, stack_names
    from serinus.cli.log_lines import LEVELS
    from serinus.cli.log_tail import LogFilter, LogSource, LogTail, find_log_group

    span_s = read_span(since)
    context = resolve_context(env, local=local, port=port)
    stack = stack_names(context.project, context.environment, [endpoint])[endpoint]
    described = describe_stack(context.target, stack)
    client, begin = context.target.client("logs"), cloud_time(context.target) - span_s
    lag_s = lag_of(context.target)
    named = sources(stack, of)
    groups = [LogSource(source.name, find_log_group(client, source.group)) for source in named]
    if described is None and groups == named:  # raises: there is neither the stack nor a log that outlived it
        find_stack(context.project, context.environment, endpoint, context.target)
    tails = [LogTail(client, source, since=begin, lag_s=lag_s) for source in groups]
    log_filter = LogFilter(frozenset(LEVELS[LEVELS.index(level.name) :]), request)
    write = _write_json if as_json else _write_text(with_source=of is LogOrigin.ALL)
    if context.target.clock_note and not as_json:
        notice(f"times and --since are in {context.target.clock_note}")
    try:
        shown = write_new_entries(tails, log_filter, write)
        if not follow and not shown:
            notice(nothing_shown(level, since, request, log_filter.nameless))
        while follow:
            time.sleep(LOCAL_POLL_INTERVAL_S if local else POLL_INTERVAL_S)
            write_new_entries(tails, log_filter, write)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED_EXIT_CODE) from None
    except BrokenPipeError:  # the reader, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def nothing_shown(level: LogLevel, since: str, request: str | None, nameless: int) -> str:
    """What to do if no line was selected; ``nameless`` requests share lines that name none of them."""
    about = "" if request is None else f" of request {request}"
    none = f"no lines{about} of level {level} or above in the last {since}."
    if nameless:
        return (
            f"{none} {nameless:,} answered requests of that time share lines and have none of their own. For a "
            'line of each request set request_log = "all" and deploy, or search further with --since or --level.'
        )
    return f"{none} Search further with --since or --level."


def write_new_entries(tails: "list[LogTail]", log_filter: "LogFilter", write: "Callable[[LogEntry], None]") -> int:
    """Write the entries that arrived since the last call, in order of time; returns their number."""
    entries = sorted((entry for tail in tails for entry in tail.read()), key=lambda entry: entry.at)
    selected = log_filter.select(entries)
    for entry in selected:
        write(entry)
    sys.stdout.flush()
    return len(selected)


def read_span(text: str) -> float:
    """Seconds that a span such as "10m" means; raises `WrongUsage` for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise WrongUsage(
            f"--since {text!r} is not a span of time. Use a number and s, m, h or d, such as 45s, 10m, 2h or 3d."
        )
    span_s = float(match["count"]) * _UNIT_S[match["unit"]]
    if span_s > LONGEST_SPAN_S:
        raise WrongUsage(f"--since {text!r} is longer than ten years. Use a shorter span, such as 3d.")
    return span_s


def sources(stack: str, of: LogOrigin) -> "list[LogSource]":
    """The log groups of ``stack`` that ``of`` names."""
    from serinus.cli.log_tail import LogSource
    from serinus.infra.names import access_log_name, hook_function_name, log_group_name, task_function_name

    functions = {
        LogOrigin.FUNCTION: stack,
        LogOrigin.BEFORE: hook_function_name(stack, "before"),
        LogOrigin.JUDGE: task_function_name(stack, "judge"),
        LogOrigin.AFTER: hook_function_name(stack, "after"),
        LogOrigin.FIRST: task_function_name(stack, "first"),
        LogOrigin.RETIRE: task_function_name(stack, "retire"),
    }
    groups = {part: log_group_name(name) for part, name in functions.items()}
    groups[LogOrigin.ACCESS] = access_log_name(stack)
    selected = groups if of is LogOrigin.ALL else {of: groups[of]}
    return [LogSource(part.value, group) for part, group in selected.items()]


def lag_of(target: "CloudTarget") -> float:
    """Seconds, of the cloud's time, by which an event may be late there."""
    return LAG_S if target.cloud is None else max(LOCAL_LAG_S, LOCAL_LAG_S * target.cloud.speed)


def render(entry: "LogEntry", *, with_source: bool) -> Text:
    """An entry as one line, or several if its message has several; ``with_source`` adds the function's name."""
    when = time.strftime("%m-%d %H:%M:%S", time.gmtime(entry.at)) + f".{int(entry.at * 1000) % 1000:03d}"
    shown = Text(f"{when}  ", style="dim")
    shown.append(f"{entry.level:<7}  ", style=_STYLES.get(entry.level, ""))
    if with_source:
        shown.append(f"{entry.source:<8}  ", style="cyan")
    version = f"v{entry.version}" if entry.version else ""
    shown.append(f"{version:<5}", style="cyan")
    shown.append(_request_words(entry) if entry.outcome else printable(entry.message), style="default not dim")
    return shown


def _request_words(entry: "LogEntry") -> str:
    if entry.requests is not None:
        return printable(
            f"{entry.route or 'several routes':<24} {entry.rows or 0:>5} rows {entry.latency_ms or 0.0:>9.1f} ms  "
            f"{entry.requests} requests {entry.outcome}, slowest {entry.slowest_ms or 0.0:.1f} ms"
        )
    rows = f"{entry.rows} row{'' if entry.rows == 1 else 's'}"
    init = f", init {entry.init_ms:.0f} ms" if entry.init_ms else ""
    golden = ", golden request" if entry.golden else ""
    words = f"{entry.route or '':<24} {rows:>9} {entry.latency_ms or 0.0:>9.1f} ms  {entry.status} {entry.outcome}"
    return printable(f"{words}{init}{golden}")


def _write_text(*, with_source: bool) -> "Callable[[LogEntry], None]":
    def write(entry: "LogEntry") -> None:
        results.print(render(entry, with_source=with_source))

    return write


def _write_json(entry: "LogEntry") -> None:
    sys.stdout.write(json.dumps(entry.to_json(), ensure_ascii=False) + "\n")
