"""The report's plots: what each shows, and its key."""

from collections.abc import Sequence
from html import escape

from cli.rehearse import plots
from cli.rehearse.plots import Frame
from cli.rehearse.record import Record
from cli.rehearse.series import ROLES, Bucket, minutes_since_release, stretch, weight_steps

_LANES = ("stack", "deployment", "alias", "verdict", "alarm")
_LATENCY_HEADROOM = 1.15


def share_plot(record: Record, series: Sequence[Bucket]) -> str:
    """Who answered, as shares of the answers, and the share that was ordered."""
    frame = _frame(record, top=100, height=150)
    series = [one for one in series if one.count]
    parts, floor = [], [0.0] * len(series)
    for role in ("candidate", "unnamed", "stable"):
        levels = [low + bucket.share(role) for low, bucket in zip(floor, series, strict=True)]
        points = [(one.minute, low, high) for one, low, high in zip(series, floor, levels, strict=True)]
        parts.append(plots.area(frame, points, f"area {role}"))
        floor = levels
    weight = plots.line(frame, weight_steps(record), "weight")
    axis = plots.value_axis(frame, lambda value: f"{value:.0f} %")
    keys = [*_keys(record, ROLES), '<span class="key"><i class="line"></i>share ordered for the candidate</span>']
    return _section("Who answered", keys, plots.svg(frame, "Share of answers by version", [*parts, axis, weight]))


def errors_plot(record: Record, series: Sequence[Bucket], width_minutes: float) -> str:
    """Failed requests a bucket."""
    most = max((sum(one.failed(role) for role in ROLES) for one in series), default=0)
    if not most:
        return _section("Failed requests", [], "", note="None failed.")
    frame = _frame(record, top=most * 1.1, height=90)
    parts, floor = [plots.value_axis(frame, lambda value: f"{value:g}", count=3)], [0.0] * len(series)
    for role in ROLES:
        levels = [low + one.failed(role) for low, one in zip(floor, series, strict=True)]
        values = [(one.minute, low, high) for one, low, high in zip(series, floor, levels, strict=True)]
        parts.append(plots.bars(frame, values, width_minutes, role))
        floor = levels
    return _section("Failed requests", _keys(record, ROLES), plots.svg(frame, "Failed requests", parts))


def latency_plot(record: Record, series: Sequence[Bucket], width_minutes: float) -> str:
    """The 99th percentile of each version."""
    curves = {
        role: [(one.minute + width_minutes / 2, one.latency_ms(role, 0.99)) for one in series]
        for role in ("stable", "candidate")
    }
    values = [value for points in curves.values() for _, value in points if value == value]
    frame = _frame(record, top=max(values, default=1.0) * _LATENCY_HEADROOM, height=130)
    parts = [plots.value_axis(frame, _milliseconds)]
    parts += [plots.line(frame, points, f"curve {role}") for role, points in curves.items()]
    drawn = plots.svg(frame, "99th percentile of latency by version", parts)
    return _section("Slowest answers: 99th percentile", _keys(record, ("stable", "candidate")), drawn)


def events_plot(record: Record) -> str:
    """What happened, a lane a place."""
    lanes = [kind for kind in _LANES if any(one.kind == kind for one in record.happenings)]
    frame = _frame(record, top=1, height=26.0 * max(1, len(lanes)))
    parts = []
    for index, kind in enumerate(lanes):
        marks = [
            (minutes_since_release(record, one.at), one.tone, one.text)
            for one in record.happenings
            if one.kind == kind
        ]
        parts.append(plots.lane(frame, index, len(lanes), kind, marks))
    return _section("Timeline", [], plots.svg(frame, "Timeline of events", parts))


def _frame(record: Record, *, top: float, height: float) -> Frame:
    since, until = stretch(record)
    shift = record.shift
    shaded = (
        None
        if shift is None
        else (minutes_since_release(record, shift[0]), minutes_since_release(record, shift[1]))
    )
    return Frame(since, until, top, height, shaded)


def _keys(record: Record, roles: Sequence[str]) -> list[str]:
    names = {
        "stable": f"version {record.stable}, live before",
        "candidate": f"version {record.canary}, the candidate",
        "unnamed": "failed before a version answered",
    }
    shown = [role for role in roles if role != "unnamed" or any(not one.version for one in record.answers)]
    return [f'<span class="key"><i class="{role}"></i>{escape(names[role])}</span>' for role in shown]


def _section(title: str, keys: Sequence[str], drawn: str, note: str = "") -> str:
    return f'<section><h2>{title}</h2><p class="note">{"".join(keys) or note}</p>{drawn}</section>'


def _milliseconds(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"
