"""The report's plots as SVG, drawn by hand: no library, script or host; colours come from the page's styles."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

#: Pixels across of a plot on a wide page, and on a narrow one, where text must not shrink.
WIDE, NARROW = 920.0, 400.0
RIGHT, TOP, BOTTOM = 16.0, 22.0, 24.0
_LEFT = {WIDE: 66.0, NARROW: 52.0}
_TICK_MINUTES = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480)
_PIXELS_A_TICK = 64.0
_FEW_POWERS = 2
#: Of the marks' labels: height of a row, pixels a letter takes at most, room for the number, and between labels.
_ROW, _LETTER, _NUMBER, _GAP = 20.0, 6.6, 24.0, 14.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at ``minute`` that a line down the plots stands for: number ``number`` of the page's list."""

    minute: float
    number: int
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a plot lies: cloud minutes ``since`` to ``until`` across ``width`` pixels, ``bottom`` to ``top``
    upwards over ``height`` of them, by powers of ten where ``bottom`` is above 0. ``shaded`` is the time in which
    the shift took place; ``marks`` are drawn over it all, ``labelled`` or with their numbers alone."""

    since: float
    until: float
    top: float
    height: float
    shaded: tuple[float, float] | None = None
    marks: Sequence[Mark] = ()
    width: float = WIDE
    bottom: float = 0.0
    labelled: bool = False

    @property
    def left(self) -> float:
        return _LEFT[self.width]

    @property
    def right(self) -> float:
        return self.width - RIGHT

    @property
    def head(self) -> float:
        """Pixels above the plot that the marks take."""
        rows = 1 + max((position.row for position in position_labels(self)), default=0)
        return TOP + (rows - 1) * _ROW

    @property
    def base(self) -> float:
        return self.head + self.height

    def x(self, minute: float) -> float:
        inside = min(max(minute, self.since), self.until)
        return self.left + (inside - self.since) / (self.until - self.since) * (self.right - self.left)

    def y(self, value: float) -> float:
        inside = min(max(value, self.bottom), self.top)
        if self.bottom > 0:
            part = math.log(inside / self.bottom) / math.log(self.top / self.bottom)
        else:
            part = inside / self.top
        return self.base - part * self.height


@dataclass(frozen=True, slots=True)
class LabelPosition:
    """Where a mark's number stands: pixels from the left, row (counted upwards), and the side of its label."""

    x: float
    row: int
    label_left: bool


def position_labels(frame: Frame) -> list[LabelPosition]:
    """The places of the marks, none of whose numbers and labels meet."""
    placed: list[LabelPosition] = []
    rows: list[list[tuple[float, float]]] = []
    for mark in frame.marks:
        x, label = frame.x(mark.minute), len(mark.label) * _LETTER + _GAP if frame.labelled else 0.0
        label_left = x + label + _NUMBER / 2 > frame.right + RIGHT
        begin = x - _NUMBER / 2 - (label if label_left else 0.0)
        end = x + _NUMBER / 2 + (0.0 if label_left else label)
        row = next(
            (index for index, taken in enumerate(rows) if all(end <= a or begin >= b for a, b in taken)), len(rows)
        )
        if row == len(rows):
            rows.append([])
        rows[row].append((begin, end))
        placed.append(LabelPosition(x, row, label_left))
    return placed


def svg(frame: Frame, title: str, parts: Iterable[str]) -> str:
    """A plot with ``parts`` in ``frame``, described as ``title`` to who cannot see it."""
    shade = ""
    if frame.shaded:
        left, right = (frame.x(minute) for minute in frame.shaded)
        width = max(1.0, right - left)
        shade = (
            f'<rect class="shift" x="{left:.1f}" y="{frame.head}" width="{width:.1f}" height="{frame.height}"/>'
        )
    return (
        f'<svg viewBox="0 0 {frame.width:.0f} {frame.base + BOTTOM:.0f}" role="img" aria-label="{escape(title)}">'
        f"{shade}{''.join(_time_axis(frame))}{''.join(parts)}{''.join(_marks(frame))}</svg>"
    )


def value_axis(frame: Frame, values: Iterable[float], label: Callable[[float], str]) -> str:
    """Lines across at ``values``, each with its label."""
    drawn = []
    for value in values:
        y = frame.y(value)
        drawn.append(f'<line class="grid" x1="{frame.left}" x2="{frame.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(
            f'<text class="tick" x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{label(value)}</text>'
        )
    return "".join(drawn)


def steps(frame: Frame, values: Sequence[tuple[float, float, float, float]], style: str) -> str:
    """The area between the third and the fourth value of (from minute, to minute, low, high), in steps."""
    if not values:
        return ""
    upper = [f"{frame.x(at):.1f},{frame.y(high):.1f}" for since, until, _, high in values for at in (since, until)]
    lower = [
        f"{frame.x(at):.1f},{frame.y(low):.1f}" for since, until, low, _ in values[::-1] for at in (until, since)
    ]
    return f'<polygon class="{style}" points="{" ".join(upper + lower)}"/>'


def line(frame: Frame, points: Sequence[Point], style: str) -> str:
    """A line through (minute, value)."""
    drawn = " L".join(f"{frame.x(at):.1f} {frame.y(value):.1f}" for at, value in points)
    return f'<path class="{style}" d="M{drawn}"/>' if points else ""


def dots(frame: Frame, points: Sequence[Point], style: str) -> str:
    """A dot at each (minute, value)."""
    return "".join(
        f'<circle class="{style}" cx="{frame.x(at):.1f}" cy="{frame.y(value):.1f}" r="2.6"/>'
        for at, value in points
    )


def bars(frame: Frame, values: Sequence[tuple[float, float, float, float]], style: str) -> str:
    """Bars at (from minute, to minute, low, high)."""
    drawn = []
    for since, until, low, high in values:
        if high > low:
            left, right = frame.x(since), frame.x(until)
            top, height = frame.y(high), frame.y(low) - frame.y(high)
            drawn.append(
                f'<rect class="{style}" x="{left + 0.5:.1f}" y="{top:.1f}" '
                f'width="{max(1.0, right - left - 1):.1f}" height="{height:.1f}"/>'
            )
    return "".join(drawn)


def round_values(top: float, count: int = 4) -> list[float]:
    """At most ``count`` equal steps of 1, 2, 2.5 or 5 times a power of ten up to ``top``, 0 included."""
    rough = top / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough - 1e-12)
    return [step * index for index in range(int(top / step + 1e-9) + 1)]


def logarithmic_values(bottom: float, top: float) -> list[float]:
    """The powers of ten from ``bottom`` to ``top``, with twice and five times each where they are few."""
    first, last = math.floor(math.log10(bottom)), math.ceil(math.log10(top))
    factors = (1, 2, 5) if last - first <= _FEW_POWERS else (1,)
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    return [value for value in values if bottom * (1 - 1e-9) <= value <= top]


def _time_axis(frame: Frame) -> Iterable[str]:
    span = frame.until - frame.since
    most = (frame.right - frame.left) / _PIXELS_A_TICK
    step = next((minutes for minutes in _TICK_MINUTES if span / minutes <= most), span)
    yield f'<line class="axis" x1="{frame.left}" x2="{frame.right}" y1="{frame.base}" y2="{frame.base}"/>'
    tick = math.ceil(frame.since / step) * step
    while tick <= frame.until:
        x = frame.x(tick)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.base}" y2="{frame.base + 4}"/>'
        anchor = "middle" if x + _PIXELS_A_TICK / 3 < frame.width else "end"
        yield f'<text class="tick" x="{x:.1f}" y="{frame.base + 18}" text-anchor="{anchor}">{tick:g} min</text>'
        tick += step


def _marks(frame: Frame) -> Iterable[str]:
    """Lines first: labels, which have a rim of the paper's colour, stay readable upon them."""
    placed = [(mark, position, frame.head - TOP / 2 - position.row * _ROW) for mark, position in _placed(frame)]
    for mark, position, y in placed:
        x = f"{position.x:.1f}"
        yield f'<line class="mark {mark.style}" x1="{x}" x2="{x}" y1="{y:.1f}" y2="{frame.base}"/>'
    for mark, position, y in placed:
        yield f'<circle class="number {mark.style}" cx="{position.x:.1f}" cy="{y:.1f}" r="8.5"/>'
        yield (
            f'<text class="number" x="{position.x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{mark.number}</text>'
        )
        if frame.labelled:
            at, anchor = (position.x - 13, "end") if position.label_left else (position.x + 13, "start")
            where = f'x="{at:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}"'
            yield f'<text class="label" {where}>{escape(mark.label)}</text>'


def _placed(frame: Frame) -> Iterable[tuple[Mark, LabelPosition]]:
    return zip(frame.marks, position_labels(frame), strict=True)
