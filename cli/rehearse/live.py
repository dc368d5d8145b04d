"""Shows a rehearsal while it runs: a panel that changes on a terminal, lines in order of time elsewhere."""

import bisect
import math
from collections.abc import Sequence
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from serinus.cli.console import can_animate, notice, progress, table
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.observer import ObservedEvent, ReleaseObserver
from serinus.cli.rehearse.outcome import percentile
from serinus.cli.rehearse.pace import Pace
from serinus.cli.rehearse.traffic import RequestResult

_SHOWN_EVENTS = 8
_STYLES = {"good": "green", "bad": "red", "plain": ""}


class LiveView:
    """Shows weights, errors, latency, alarms and events."""

    def __init__(self) -> None:
        self.released_at: float | None = None
        self._is_animated = can_animate()
        self._live = Live(console=progress, refresh_per_second=8, transient=True)
        self._events: list[ObservedEvent] = []
        self._minute = -1
        #: Lines that were not printed yet, by cloud time.
        self._waiting: list[tuple[float, str]] = []

    def __enter__(self) -> "LiveView":
        if self._is_animated:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        self._print_until(math.inf)

    def stage(self, title: str) -> None:
        """Show what is under way before there are any events."""
        if self._is_animated:
            self._live.update(Text(f"{title} …", style="dim"))
        else:
            notice(f"{title} …")

    def event_observed(self, event: ObservedEvent) -> None:
        """Show an event."""
        self._events.append(event)
        if not self._is_animated:
            self._waiting.append((event.at, self._line(event)))

    def show(self, pace: Pace, observer: ReleaseObserver) -> None:
        """Show the current figures; other than on a terminal once a cloud minute."""
        clock = pace.clock
        recent = _since(pace.traffic.results, clock.now() - pace.window_s)
        if self._is_animated:
            self._live.update(self._panel(recent, observer, clock))
            return
        minute = int((clock.now() - (self.released_at or clock.now())) // 60)
        if minute > self._minute:
            self._minute = minute
            failed = sum(request.failed for request in recent)
            p99 = percentile([request.latency_ms for request in recent], 0.99)
            alias = observer.alias_samples[-1].alias if observer.alias_samples else None
            canary = f"canary {alias.weight:.0%}" if alias and alias.canary else "no canary"
            line = f"{self._at(clock.now())}  {canary}, {len(recent)} responses, {failed} failed, p99 {p99:.0f} ms"
            self._waiting.append((clock.now(), line))
        # The cloud's APIs report events later than they happen.
        self._print_until(clock.now() - pace.window_s)

    def _print_until(self, at: float) -> None:
        """Print the waiting lines up to cloud time ``at``, in order."""
        due = [entry for entry in self._waiting if entry[0] <= at]
        self._waiting = [entry for entry in self._waiting if entry[0] > at]
        for _, line in sorted(due, key=lambda entry: entry[0]):
            notice(line)

    def _panel(
        self, recent: Sequence[RequestResult], observer: ReleaseObserver, clock: CloudTime
    ) -> RenderableType:
        alias = observer.alias_samples[-1].alias if observer.alias_samples else None
        share = f"{alias.weight:.0%} to version {alias.canary}" if alias and alias.canary else "one version"
        title = Text(f"cloud time {self._at(clock.now())}   {share}", style="bold")
        firing = [alarm.description for alarm in observer.alarms if alarm.state == "ALARM"]
        alarms = Text(f"alarms: {', '.join(firing) or 'none'}", style="red" if firing else "dim")
        lines = [
            Text(self._line(event), style=_STYLES[event.tone], overflow="ellipsis", no_wrap=True)
            for event in sorted(self._events, key=lambda event: event.at)[-_SHOWN_EVENTS:]
        ]
        return Group(title, _figures(recent), alarms, *lines)

    def _line(self, event: ObservedEvent) -> str:
        return f"{self._at(event.at)}  {event.kind}: {event.text}"

    def _at(self, at: float) -> str:
        seconds = at - (self.released_at if self.released_at is not None else at)
        sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
        return f"{sign}{int(seconds // 60):02d}:{int(seconds % 60):02d}"


def _figures(recent: Sequence[RequestResult]) -> Table:
    shown = table("version", ">responses", ">share", ">failed", ">p50 ms", ">p99 ms")
    for version in sorted({request.version for request in recent}):
        of_version = [request for request in recent if request.version == version]
        latencies = [request.latency_ms for request in of_version]
        shown.add_row(
            version or "not named",
            str(len(of_version)),
            f"{len(of_version) / len(recent):.1%}",
            str(sum(request.failed for request in of_version)),
            f"{percentile(latencies, 0.5):.1f}",
            f"{percentile(latencies, 0.99):.1f}",
        )
    return shown


def _since(results: Sequence[RequestResult], at: float) -> list[RequestResult]:
    """The results that came after ``at``; they are in this order."""
    first = bisect.bisect_right(results, at, key=lambda request: request.answered_at)
    return list(results[first:])
