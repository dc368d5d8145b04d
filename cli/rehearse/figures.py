"""The report's plots: what each shows, and its key."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from serinus.cli.rehearse import plots
from serinus.cli.rehearse.plots import Frame, Mark
from serinus.cli.rehearse.record import Record
from serinus.cli.rehearse.series import (
    ROLES,
    UNNAMED,
    Bucket,
    minutes_since_release,
    pooled,
    stretch,
    weight_steps,
)
from serinus.cli.rehearse.timeline import Moment

#: Answers below which a share, or a percentile, is not worth drawing.
LEAST_FOR_SHARE, LEAST_FOR_PERCENTILE = 50, 10
PERCENTILE = 0.9
_LATENCY_HEADROOM = 1.5


def share_plot(record: Record, moments: Sequence[Moment], series: Sequence[Bucket]) -> str:
    """Who answered, as shares of the answers, and the share that was ordered."""
    stacked = _stack(pooled(series, LEAST_FOR_SHARE), ("candidate", "unnamed", "stable"), Bucket.share)

    def draw(frame: Frame) -> str:
        parts = [plots.steps(frame, values, f"area {role}") for role, values in stacked.items()]
        axis = plots.value_axis(frame, (0, 25, 50, 75, 100), lambda value: f"{value:.0f} %")
        weight = plots.line(frame, weight_steps(record), "weight")
        return plots.svg(frame, "Share of answers by version", [*parts, axis, weight])

    keys = [
        *_keys(record, ROLES),
        '<span class="key"><i class="line"></i>share ordered for the new version</span>',
    ]
    drawn = _both(record, moments, draw, top=100, height=150, labelled=True)
    return _section("Who answered", drawn, keys, f"Shares of at least {LEAST_FOR_SHARE} answers each.")


def errors_plot(record: Record, moments: Sequence[Moment], series: Sequence[Bucket]) -> str:
    """Failed requests a bucket."""
    most = max((sum(one.failed(role) for role in ROLES) for one in series), default=0)
    if not most:
        return _section("Failed requests", "", [], "None failed, and none was left without an answer.")
    stacked = _stack(series, ROLES, Bucket.failed)

    def draw(frame: Frame) -> str:
        whole = [value for value in plots.round_values(frame.top, 3) if value == int(value)]
        axis = plots.value_axis(frame, whole, lambda value: f"{value:g}")
        parts = [plots.bars(frame, values, role) for role, values in stacked.items()]
        return plots.svg(frame, "Failed requests", [axis, *parts])

    failing = [role for role in ROLES if any(one.failed(role) for one in series)]
    drawn = _both(record, moments, draw, top=max(most * 1.1, 2.0), height=90)
    note = f"How many, in each {_span(series[0].minutes)} of cloud time."
    return _section("Failed requests", drawn, _keys(record, failing), note)


def latency_plot(record: Record, moments: Sequence[Moment], series: Sequence[Bucket]) -> str:
    """A high percentile of each version, on a scale of powers of ten."""
    curves = {
        role: [
            (one.middle, one.latency_ms(role, PERCENTILE)) for one in pooled(series, LEAST_FOR_PERCENTILE, role)
        ]
        for role in ("stable", "candidate")
    }
    values = [value for points in curves.values() for _, value in points] or [1.0]
    bottom = 10.0 ** math.floor(math.log10(max(min(values), 0.1)))
    top = max(max(values) * _LATENCY_HEADROOM, bottom * 10)

    def draw(frame: Frame) -> str:
        parts = [plots.value_axis(frame, plots.logarithmic_values(frame.bottom, frame.top), _milliseconds)]
        for role, points in curves.items():
            parts += [plots.line(frame, points, f"curve {role}"), plots.dots(frame, points, f"point {role}")]
        return plots.svg(frame, "90th percentile of the time to answer, by version", parts)

    drawn = _both(record, moments, draw, top=top, bottom=bottom, height=130)
    note = (
        f"Nine of ten answers came faster; at least {LEAST_FOR_PERCENTILE} answers a dot. Real time on a "
        "machine that also runs the cloud and the deploy: compare the versions, not the milliseconds."
    )
    return _section("Slow answers", drawn, _keys(record, [role for role in curves if curves[role]]), note)


def _stack(
    series: Sequence[Bucket], roles: Sequence[str], value: Callable[[Bucket, str], float]
) -> dict[str, list[tuple[float, float, float, float]]]:
    """By role (from minute, to minute, low, high): each role's value upon that of those before it."""
    floor, stacked = [0.0] * len(series), dict[str, list[tuple[float, float, float, float]]]()
    for role in roles:
        levels = [low + value(one, role) for low, one in zip(floor, series, strict=True)]
        stacked[role] = [
            (one.minute, one.minute + one.minutes, low, high)
            for one, low, high in zip(series, floor, levels, strict=True)
        ]
        floor = levels
    return stacked


def _both(record: Record, moments: Sequence[Moment], draw: Callable[[Frame], str], **frame: Any) -> str:
    """The plot for a wide page and for a narrow one, of which the page's styles show one."""
    since, until = stretch(record)
    shift = record.shift
    shaded = shift and (minutes_since_release(record, shift[0]), minutes_since_release(record, shift[1]))
    marks = [Mark(one.minute, number, one.brief, one.tone) for number, one in enumerate(moments, start=1)]
    wide = Frame(since, until, shaded=shaded, marks=marks, **frame)
    narrow = Frame(since, until, shaded=shaded, marks=marks, width=plots.NARROW, **{**frame, "labelled": False})
    return f'<div class="wide">{draw(wide)}</div><div class="narrow">{draw(narrow)}</div>'


def _keys(record: Record, roles: Sequence[str]) -> list[str]:
    names = {
        "stable": f"version {record.stable}, live before",
        "candidate": f"version {record.canary}, new",
        "unnamed": UNNAMED,
    }
    shown = [role for role in roles if role != "unnamed" or any(not one.version for one in record.answers)]
    return [f'<span class="key"><i class="{role}"></i>{escape(names[role])}</span>' for role in shown]


def _section(title: str, drawn: str, keys: Sequence[str], note: str) -> str:
    key = f'<p class="keys">{"".join(keys)}</p>' if keys else ""
    return f'<section><h2>{title}</h2><p class="note">{note}</p>{key}{drawn}</section>'


def _span(minutes: float) -> str:
    return f"{minutes * 60:.0f} seconds" if minutes < 1 else f"{minutes:g} minute{'' if minutes == 1 else 's'}"


def _milliseconds(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"
