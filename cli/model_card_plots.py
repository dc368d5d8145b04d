"""Drawings of the model card's page, as inline SVG: parity with the source, and how values are distributed."""

import html
from itertools import pairwise
from typing import Any

_SIDE, _PAD = 280, 46
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 22


def draw_parity(plots: dict[str, Any]) -> str:
    """Of each output a scatter of source against bundle and a histogram of their differences."""
    drawn = [_scatter(name, points) + _histogram(name, points["differences"]) for name, points in plots.items()]
    return "<div class=plots>" + "".join(drawn) + "</div>" if drawn else ""


def draw_distribution(profile: dict[str, Any]) -> str:
    """A small drawing of a baseline's profile: a bar a category, or density between deciles."""
    if profile["kind"] == "categorical":
        counts = [item["count"] for item in profile["categories"][:12]] + (
            [profile["other"]] if profile["other"] else []
        )
        width = _SPARK_WIDTH / max(len(counts), 4)
        bars = [(index * width, width - 2, count) for index, count in enumerate(counts)]
    elif profile["kind"] == "numeric" and profile.get("deciles"):
        bars = _densities([profile["minimum"], *profile["deciles"], profile["maximum"]])
    else:
        return ""
    most = max((height for *_, height in bars), default=0) or 1
    drawn = "".join(
        f'<rect x="{x:.1f}" y="{_SPARK_HEIGHT * (1 - height / most):.1f}" width="{max(width, 0.8):.1f}" '
        f'height="{max(_SPARK_HEIGHT * height / most, 0.8):.1f}"/>'
        for x, width, height in bars
    )
    return f'<svg class=spark width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}" aria-hidden=true>{drawn}</svg>'


def _densities(edges: list[float]) -> list[tuple[float, float, float]]:
    """A tenth of the values lies between each two deciles: the closer these are, the higher the bar."""
    low, spread = edges[0], (edges[-1] - edges[0]) or 1.0
    least = spread / 40
    return [
        (
            (a - low) / spread * _SPARK_WIDTH,
            (b - a) / spread * _SPARK_WIDTH - 0.5,
            1.0 / max(b - a, least),
        )
        for a, b in pairwise(edges)
    ]


def _text(value: object) -> str:
    return html.escape(str(value))


def _scatter(name: str, points: dict[str, Any]) -> str:
    """Source across, bundle up; what agrees lies on the line."""
    values: list[float] = [*points["source"], *points["bundle"]] or [0.0]
    low, high = min(values), max(values)
    spread: float = (high - low) or 1.0

    def to_pixels(value: float) -> float:
        return _PAD + (value - low) / spread * (_SIDE - _PAD - 8)

    far = to_pixels(high)
    dots = "".join(
        f'<circle cx="{to_pixels(a):.1f}" cy="{_SIDE - to_pixels(b):.1f}" r="3"/>'
        for a, b in zip(points["source"], points["bundle"], strict=True)
    )
    bottom = _SIDE - _PAD
    lines = (
        f'<line x1="{_PAD}" y1="{bottom}" x2="{far:.1f}" y2="{bottom}"/>'
        f'<line x1="{_PAD}" y1="{bottom}" x2="{_PAD}" y2="8"/>'
        f'<line class=same x1="{_PAD}" y1="{bottom}" x2="{far:.1f}" y2="{_SIDE - far:.1f}"/>'
    )
    ticks = (
        f'<text x="{_PAD}" y="{bottom + 16}">{low:.3g}</text>'
        f'<text x="{far:.1f}" y="{bottom + 16}" text-anchor=end>{high:.3g}</text>'
        f'<text x="{_PAD - 6}" y="{bottom}" text-anchor=end>{low:.3g}</text>'
        f'<text x="{_PAD - 6}" y="16" text-anchor=end>{high:.3g}</text>'
    )
    return _figure(
        f"{_text(name)}: source across, bundle up; what agrees lies on the line",
        lines + dots + ticks,
        f"parity of {_text(name)}",
    )


def _histogram(name: str, counts: list[int]) -> str:
    """How many values differ by how much, a bar a power of ten."""
    most = max(counts) or 1
    step = (_SIDE - 20) / len(counts)
    bottom = _SIDE - _PAD
    bars = "".join(
        f'<rect x="{10 + index * step:.1f}" y="{bottom - count / most * (bottom - 20):.1f}" '
        f'width="{step - 2:.1f}" height="{count / most * (bottom - 20):.1f}" rx="2">'
        f"<title>1e{index - 16}: {count}</title></rect>"
        for index, count in enumerate(counts)
    )
    ticks = "".join(
        f'<text x="{10 + (index + 0.5) * step:.1f}" y="{bottom + 16}" text-anchor=middle>1e{index - 16}</text>'
        for index in range(0, len(counts), 4)
    )
    line = f'<line x1="10" y1="{bottom}" x2="{_SIDE - 10}" y2="{bottom}"/>'
    return _figure(
        f"{_text(name)}: how many values differ by how much (left: 1e-16 or less)",
        line + bars + ticks,
        f"differences of {_text(name)}",
    )


def _figure(caption: str, content: str, label: str) -> str:
    size = f'width="{_SIDE}" height="{_SIDE}" viewBox="0 0 {_SIDE} {_SIDE}"'
    drawing = f'<svg {size} role=img aria-label="{label}">{content}</svg>'
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"
