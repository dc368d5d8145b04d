"""The report's plots: what each shows, and its key."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serinus.cli.page_template import safe_svg
from serinus.cli.rehearse import plots
from serinus.cli.rehearse.plots import Frame, Mark
from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.series import (
    ROLES,
    UNNAMED,
    Bucket,
    merge_small,
    minutes_since_release,
    report_span,
    weight_steps,
)
from serinus.cli.rehearse.timeline import TimelineEvent

if TYPE_CHECKING:
    from markupsafe import Markup

#: Responses below which a share, or a percentile, is not worth drawing.
LEAST_FOR_SHARE, LEAST_FOR_PERCENTILE = 50, 10
PERCENTILE = 0.9
_LATENCY_HEADROOM = 1.5


@dataclass(frozen=True, slots=True)
class Figure:
    """A section of the report. ``keys`` are CSS class and name of what the plot shows; the plot is drawn for a
    wide page and for a narrow one, of which the page's styles show one; both are empty without a plot."""

    title: str
    note: str
    keys: Sequence[tuple[str, str]] = ()
    wide: "Markup | str" = ""
    narrow: "Markup | str" = ""


def share_plot(record: RehearsalRecord, events: Sequence[TimelineEvent], series: Sequence[Bucket]) -> Figure:
    """Each version's share of the responses, and the alias's weight."""
    stacked = _stack(merge_small(series, LEAST_FOR_SHARE), ("candidate", "unnamed", "stable"), Bucket.share)

    def draw(frame: Frame) -> str:
        parts = [plots.steps(frame, values, f"area {role}") for role, values in stacked.items()]
        axis = plots.value_axis(frame, (0, 25, 50, 75, 100), lambda value: f"{value:.0f} %")
        weight = plots.line(frame, weight_steps(record), "weight")
        return plots.svg(frame, "Share of responses by version", [*parts, axis, weight])

    keys = [*_keys(record, ROLES), ("line", "weight of the new version in the alias")]
    drawn = _both(record, events, draw, top=100, height=150, labelled=True)
    return Figure("Responses by version", f"Shares of at least {LEAST_FOR_SHARE} responses each.", keys, *drawn)


def errors_plot(record: RehearsalRecord, events: Sequence[TimelineEvent], series: Sequence[Bucket]) -> Figure:
    """Failed requests a bucket."""
    most = max((sum(bucket.failed(role) for role in ROLES) for bucket in series), default=0)
    if not most:
        return Figure("Failed requests", "None failed, and none was left without a response.")
    stacked = _stack(series, ROLES, Bucket.failed)

    def draw(frame: Frame) -> str:
        whole = [value for value in plots.round_values(frame.top, 3) if value == int(value)]
        axis = plots.value_axis(frame, whole, lambda value: f"{value:g}")
        parts = [plots.bars(frame, values, role) for role, values in stacked.items()]
        return plots.svg(frame, "Failed requests", [axis, *parts])

    failing = [role for role in ROLES if any(bucket.failed(role) for bucket in series)]
    drawn = _both(record, events, draw, top=max(most * 1.1, 2.0), height=90)
    note = f"Number in each {_span(series[0].minutes)} of cloud time."
    return Figure("Failed requests", note, _keys(record, failing), *drawn)


def latency_plot(record: RehearsalRecord, events: Sequence[TimelineEvent], series: Sequence[Bucket]) -> Figure:
    """A high percentile of each version, on a scale of powers of ten."""
    curves = {
        role: [
            (bucket.middle, bucket.latency_ms(role, PERCENTILE))
            for bucket in merge_small(series, LEAST_FOR_PERCENTILE, role)
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
        return plots.svg(frame, "90th percentile of the response time, by version", parts)

    drawn = _both(record, events, draw, top=top, bottom=bottom, height=130)
    note = (
        f"The 90th percentile of at least {LEAST_FOR_PERCENTILE} responses a dot, in real time on a machine that "
        "also runs the cloud and the deploy: compare the versions, not the milliseconds."
    )
    return Figure("Latency", note, _keys(record, [role for role in curves if curves[role]]), *drawn)


def _stack(
    series: Sequence[Bucket], roles: Sequence[str], value: Callable[[Bucket, str], float]
) -> dict[str, list[tuple[float, float, float, float]]]:
    """By role (from minute, to minute, low, high): each role's value upon that of those before it."""
    floor, stacked = [0.0] * len(series), dict[str, list[tuple[float, float, float, float]]]()
    for role in roles:
        levels = [low + value(bucket, role) for low, bucket in zip(floor, series, strict=True)]
        stacked[role] = [
            (bucket.minute, bucket.minute + bucket.minutes, low, high)
            for bucket, low, high in zip(series, floor, levels, strict=True)
        ]
        floor = levels
    return stacked


def _both(
    record: RehearsalRecord, events: Sequence[TimelineEvent], draw: Callable[[Frame], str], **frame: Any
) -> "tuple[Markup, Markup]":
    """The plot for a wide page and for a narrow one."""
    since, until = report_span(record)
    shift = record.shift
    shaded = shift and (minutes_since_release(record, shift[0]), minutes_since_release(record, shift[1]))
    marks = [
        Mark(moment.minute, number, moment.brief, moment.tone) for number, moment in enumerate(events, start=1)
    ]
    wide = Frame(since, until, shaded=shaded, marks=marks, **frame)
    narrow = Frame(since, until, shaded=shaded, marks=marks, width=plots.NARROW, **{**frame, "labelled": False})
    return safe_svg(draw(wide)), safe_svg(draw(narrow))


def _keys(record: RehearsalRecord, roles: Sequence[str]) -> list[tuple[str, str]]:
    names = {
        "stable": f"version {record.stable}, live before",
        "candidate": f"version {record.canary}, new",
        "unnamed": UNNAMED,
    }
    shown = [role for role in roles if role != "unnamed" or any(not request.version for request in record.results)]
    return [(role, names[role]) for role in shown]


def _span(minutes: float) -> str:
    return f"{minutes * 60:.0f} seconds" if minutes < 1 else f"{minutes:g} minute{'' if minutes == 1 else 's'}"


def _milliseconds(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"
