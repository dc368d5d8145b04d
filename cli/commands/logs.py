"""`serinus logs`: what an endpoint's functions logged, as lines that a person reads."""

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
from serinus.cli.errors import CliError
from serinus.cli.printable import printable
from serinus.cli.target import CloudPort, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.log_lines import LogEntry
    from serinus.cli.log_tail import LogFilter, LogSource, LogTail
    from serinus.cli.target import Target

#: Real seconds between looks: AWS limits how often a log group may be asked.
LOOK_EVERY_S = 2.0
LOOK_LOCALLY_EVERY_S = 0.25
#: Seconds by which CloudWatch Logs may take an event in late; offline as many real ones suffice.
LAG_S = 30.0
LAG_LOCALLY_S = 2.0
INTERRUPTED = 130

_SPAN = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?P<unit>[smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STYLES = {"ERROR": "bold red", "WARNING": "yellow", "INFO": "", "DEBUG": "dim"}


class Level(StrEnum):
    """The least level that is shown; `debug` shows the platform's START, END and REPORT too."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Part(StrEnum):
    """Whose log: the endpoint's function, or one of those around its releases."""

    FUNCTION = "function"
    BEFORE = "before"
    JUDGE = "judge"
    AFTER = "after"
    FIRST = "first"
    RETIRE = "retire"
    ALL = "all"


def logs(
    endpoint: Annotated[str, typer.Argument(help="Endpoint.")],
    of: Annotated[
        Part, typer.Option(help="Whose log: the function's, the judge's, a release hook's, or all.")
    ] = Part.FUNCTION,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(metavar="SPAN", help="How far back: 45s, 10m, 2h, 3d.")] = "10m",
    level: Annotated[
        Level, typer.Option(help="The least level; debug shows the platform's lines too.")
    ] = Level.INFO,
    request: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only this request: x-amzn-RequestId of an answer, or Lambda's id."),
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data, one JSON object a line.")] = False,
) -> None:
    """Show what an endpoint logged: time (UTC), level, version, route, rows, milliseconds, outcome.

    Example: [bold]serinus logs churn --local --since 1h --level warning[/]
    """
    from serinus.cli.context import cloud_time, stand
    from serinus.cli.endpoints import find_stack
    from serinus.cli.log_lines import LEVELS
    from serinus.cli.log_tail import LogFilter, LogTail

    span_s = read_span(since)
    place = stand(env, local=local, port=port)
    stack = find_stack(place.project, place.environment, endpoint, place.target).stack
    client, begin = place.target.client("logs"), cloud_time(place.target) - span_s
    lag_s = lag_of(place.target)
    tails = [LogTail(client, source, since=begin, lag_s=lag_s) for source in sources(stack, of)]
    wanted = LogFilter(frozenset(LEVELS[LEVELS.index(level.name) :]), request)
    write = _write_json if as_json else _write_text(named=of is Part.ALL)
    try:
        shown = look(tails, wanted, write)
        if not follow and not shown:
            notice(f"nothing of level {level} or above in the last {since}; --since and --level look further")
        while follow:
            time.sleep(LOOK_LOCALLY_EVERY_S if local else LOOK_EVERY_S)
            look(tails, wanted, write)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def look(tails: "list[LogTail]", wanted: "LogFilter", write: "Callable[[LogEntry], None]") -> int:
    """Write what came since the last look, in order of time; returns how many lines."""
    entries = sorted((entry for tail in tails for entry in tail.read()), key=lambda entry: entry.at)
    chosen = wanted.chosen(entries)
    for entry in chosen:
        write(entry)
    sys.stdout.flush()
    return len(chosen)


def read_span(text: str) -> float:
    """Seconds that "10m" means; `CliError` for what is no span of time."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise CliError(f"--since is {text!r}; it takes a number and s, m, h or d, such as 45s, 10m, 2h or 3d.")
    return float(found["count"]) * _UNIT_S[found["unit"]]


def sources(stack: str, of: Part) -> "list[LogSource]":
    """The log groups of ``stack`` that ``of`` names."""
    from serinus.cli.log_tail import LogSource
    from serinus.infra.names import hook_function_name, log_group_name, task_function_name

    functions = {
        Part.FUNCTION: stack,
        Part.BEFORE: hook_function_name(stack, "before"),
        Part.JUDGE: task_function_name(stack, "judge"),
        Part.AFTER: hook_function_name(stack, "after"),
        Part.FIRST: task_function_name(stack, "first"),
        Part.RETIRE: task_function_name(stack, "retire"),
    }
    chosen = functions if of is Part.ALL else {of: functions[of]}
    return [LogSource(part.value, log_group_name(name)) for part, name in chosen.items()]


def lag_of(target: "Target") -> float:
    """Seconds, of the cloud's time, by which an event may be late there."""
    return LAG_S if target.cloud is None else max(LAG_LOCALLY_S, LAG_LOCALLY_S * target.cloud.speed)


def render(entry: "LogEntry", *, named: bool) -> Text:
    """An entry as one line, several where its message has several; ``named`` says whose it is."""
    when = time.strftime("%m-%d %H:%M:%S", time.gmtime(entry.at)) + f".{int(entry.at * 1000) % 1000:03d}"
    shown = Text(f"{when}  ", style="dim")
    shown.append(f"{entry.level:<7}  ", style=_STYLES.get(entry.level, ""))
    if named:
        shown.append(f"{entry.source:<8}  ", style="cyan")
    version = f"v{entry.version}" if entry.version else ""
    shown.append(f"{version:<5}", style="cyan")
    shown.append(_request_words(entry) if entry.outcome else printable(entry.message), style="default not dim")
    return shown


def _request_words(entry: "LogEntry") -> str:
    rows = f"{entry.rows} row{'' if entry.rows == 1 else 's'}"
    init = f", init {entry.init_ms:.0f} ms" if entry.init_ms else ""
    golden = ", golden request" if entry.golden else ""
    words = f"{entry.route or '':<24} {rows:>9} {entry.latency_ms or 0.0:>9.1f} ms  {entry.status} {entry.outcome}"
    return printable(f"{words}{init}{golden}")


def _write_text(*, named: bool) -> "Callable[[LogEntry], None]":
    def write(entry: "LogEntry") -> None:
        results.print(render(entry, named=named))

    return write


def _write_json(entry: "LogEntry") -> None:
    sys.stdout.write(json.dumps(entry.to_json(), ensure_ascii=False) + "\n")
