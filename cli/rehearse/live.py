"""A rehearsal while it runs: a panel that changes on a terminal, lines elsewhere."""

import bisect
from collections.abc import Sequence
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from serinus.cli.console import notice, progress, table
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.observer import Happening, Watch
from serinus.cli.rehearse.outcome import percentile
from serinus.cli.rehearse.traffic import Answered, Traffic

#: Real seconds of answers that the panel's figures cover.
WINDOW_S = 2.0
_SHOWN_HAPPENINGS = 8
_STYLES = {"good": "green", "bad": "red", "plain": ""}


class LiveView:
    """Shows shares, errors, latency, alarms and what happens; `clock` is set once there is a cloud."""

    def __init__(self) -> None:
        self.released_at: float | None = None
        self._live = Live(console=progress, refresh_per_second=8, transient=True)
        self._happenings: list[Happening] = []
        self._minute = -1

    def __enter__(self) -> "LiveView":
        if progress.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def stage(self, title: str) -> None:
        """What is under way before there is anything to see."""
        if progress.is_terminal:
            self._live.update(Text(f"{title} …", style="dim"))
        else:
            notice(f"{title} …")

    def happened(self, happening: Happening) -> None:
        """One line for what happened."""
        self._happenings.append(happening)
        if not progress.is_terminal:
            notice(self._line(happening))

    def show(self, traffic: Traffic, watch: Watch, clock: CloudTime) -> None:
        """The figures of now; elsewhere than on a terminal once a cloud minute."""
        window_s = WINDOW_S * clock.speed
        recent = _since(traffic.answers, clock.now() - window_s)
        if progress.is_terminal:
            self._live.update(self._panel(recent, watch, clock))
            return
        minute = int((clock.now() - (self.released_at or clock.now())) // 60)
        if minute > self._minute:
            self._minute = minute
            failed = sum(one.failed for one in recent)
            p99 = percentile([one.latency_ms for one in recent], 0.99)
            alias = watch.shares[-1].alias if watch.shares else None
            canary = f"canary {alias.weight:.0%}" if alias and alias.canary else "no canary"
            notice(f"{self._at(clock.now())}  {canary}, {len(recent)} answers, {failed} failed, p99 {p99:.0f} ms")

    def _panel(self, recent: Sequence[Answered], watch: Watch, clock: CloudTime) -> RenderableType:
        alias = watch.shares[-1].alias if watch.shares else None
        share = f"{alias.weight:.0%} meets version {alias.canary}" if alias and alias.canary else "one version"
        title = Text(f"cloud time {self._at(clock.now())}   {share}", style="bold")
        firing = [alarm.description for alarm in watch.alarms if alarm.state == "ALARM"]
        alarms = Text(f"alarms: {', '.join(firing) or 'none'}", style="red" if firing else "dim")
        lines = [
            Text(self._line(one), style=_STYLES[one.tone], overflow="ellipsis", no_wrap=True)
            for one in sorted(self._happenings)[-_SHOWN_HAPPENINGS:]
        ]
        return Group(title, _figures(recent), alarms, *lines)

    def _line(self, happening: Happening) -> str:
        return f"{self._at(happening.at)}  {happening.kind}: {happening.text}"

    def _at(self, at: float) -> str:
        seconds = at - (self.released_at if self.released_at is not None else at)
        sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
        return f"{sign}{int(seconds // 60):02d}:{int(seconds % 60):02d}"


def _figures(recent: Sequence[Answered]) -> Table:
    shown = table("version", ">answers", ">share", ">failed", ">p50 ms", ">p99 ms")
    for version in sorted({one.version for one in recent}):
        own = [one for one in recent if one.version == version]
        latencies = [one.latency_ms for one in own]
        shown.add_row(
            version or "not named",
            str(len(own)),
            f"{len(own) / len(recent):.1%}",
            str(sum(one.failed for one in own)),
            f"{percentile(latencies, 0.5):.1f}",
            f"{percentile(latencies, 0.99):.1f}",
        )
    return shown


def _since(answers: Sequence[Answered], at: float) -> list[Answered]:
    """The answers that came after ``at``; they stand in order of that."""
    place = bisect.bisect_right(answers, at, key=lambda one: one.answered_at)
    return list(answers[place:])
