"""The report's plots as SVG, drawn by hand: no library, script or host; colours come from the page's styles."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 920.0, 92.0, 16.0, 10.0, 24.0
_TICK_MINUTES = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480)
_MOST_TICKS = 13

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a plot lies: cloud minutes ``since`` to ``until`` across, 0 to ``top`` upwards over ``height`` pixels.
    ``shaded`` is the stretch of time in which the shift took place."""

    since: float
    until: float
    top: float
    height: float
    shaded: tuple[float, float] | None = None

    def x(self, minute: float) -> float:
        inside = min(max(minute, self.since), self.until)
        return LEFT + (inside - self.since) / (self.until - self.since) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + self.height - min(value, self.top) / self.top * self.height


def svg(frame: Frame, title: str, parts: Iterable[str]) -> str:
    """A plot with ``parts`` in ``frame``, described as ``title`` to who cannot see it."""
    height = TOP + frame.height + BOTTOM
    shade = ""
    if frame.shaded:
        left, right = (frame.x(minute) for minute in frame.shaded)
        width = max(1.0, right - left)
        shade = f'<rect class="shift" x="{left:.1f}" y="{TOP}" width="{width:.1f}" height="{frame.height}"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{shade}{''.join(_time_axis(frame))}{''.join(parts)}</svg>"
    )


def value_axis(frame: Frame, label: Callable[[float], str], count: int = 4) -> str:
    """Lines across at round values, each with its label."""
    drawn = []
    for value in _round_values(frame.top, count):
        y = frame.y(value)
        drawn.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label(value)}</text>')
    return "".join(drawn)


def area(frame: Frame, points: Sequence[tuple[float, float, float]], style: str) -> str:
    """The area between the second and the third value of (minute, low, high)."""
    upper = [f"{frame.x(at):.1f},{frame.y(high):.1f}" for at, _, high in points]
    lower = [f"{frame.x(at):.1f},{frame.y(low):.1f}" for at, low, _ in reversed(points)]
    return f'<polygon class="{style}" points="{" ".join(upper + lower)}"/>' if points else ""


def line(frame: Frame, points: Sequence[Point], style: str) -> str:
    """A line through (minute, value); it is broken where a value is NaN."""
    drawn, pen = [], "M"
    for at, value in points:
        if math.isnan(value):
            pen = "M"
            continue
        drawn.append(f"{pen}{frame.x(at):.1f} {frame.y(value):.1f}")
        pen = "L"
    return f'<path class="{style}" d="{"".join(drawn)}"/>'


def bars(frame: Frame, values: Sequence[tuple[float, float, float]], width_minutes: float, style: str) -> str:
    """Bars at (minute, low, high), each ``width_minutes`` wide."""
    drawn = []
    for at, low, high in values:
        if high > low:
            left, right = frame.x(at), frame.x(at + width_minutes)
            top, height = frame.y(high), frame.y(low) - frame.y(high)
            drawn.append(
                f'<rect class="{style}" x="{left + 0.5:.1f}" y="{top:.1f}" '
                f'width="{max(1.0, right - left - 1):.1f}" height="{height:.1f}"/>'
            )
    return "".join(drawn)


def lane(frame: Frame, index: int, count: int, name: str, marks: Iterable[tuple[float, str, str]]) -> str:
    """Row ``index`` of ``count`` with a dot at each (minute, style, text); the text shows when pointed at."""
    y = TOP + frame.height * (index + 0.5) / count
    drawn = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>',
    ]
    for at, style, text in marks:
        drawn.append(
            f'<circle class="dot {style}" cx="{frame.x(at):.1f}" cy="{y:.1f}" r="5">'
            f"<title>{escape(text)}</title></circle>"
        )
    return "".join(drawn)


def _time_axis(frame: Frame) -> Iterable[str]:
    span, base = frame.until - frame.since, TOP + frame.height
    step = next((minutes for minutes in _TICK_MINUTES if span / minutes <= _MOST_TICKS), span)
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>'
    tick = math.ceil(frame.since / step) * step
    while tick <= frame.until:
        x = frame.x(tick)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{base + 18}" text-anchor="middle">{tick:g} min</text>'
        tick += step


def _round_values(top: float, count: int) -> list[float]:
    """At most ``count`` equal steps of 1, 2, 2.5 or 5 times a power of ten up to ``top``, 0 included."""
    rough = top / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough - 1e-12)
    return [step * index for index in range(int(top / step + 1e-9) + 1)]
