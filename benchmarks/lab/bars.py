"""A bar chart as SVG, drawn by hand: no library, and text that a browser can search."""

from collections.abc import Sequence
from html import escape

_LABEL_PX, _BAR_PX, _VALUE_PX, _ROW_PX, _HEAD_PX = 300, 460, 90, 24, 34
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.o{fill:#2f81f7}.p{fill:#8c959f}"
    "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.p{fill:#6e7681}}"
)


def draw_bars(title: str, bars: Sequence[tuple[str, float]], unit: str, ours: str) -> str:
    """Horizontal bars in the order given, from 0; those whose label begins with ``ours`` stand out."""
    most = max((value for _, value in bars), default=1.0)
    width, height = _LABEL_PX + _BAR_PX + _VALUE_PX, _HEAD_PX + _ROW_PX * len(bars) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text x="0" y="18" font-weight="600">{escape(title)}</text>',
    ]
    for number, (label, value) in enumerate(bars):
        top, length = _HEAD_PX + number * _ROW_PX, max(1.0, value / most * _BAR_PX)
        kind = "o" if label.startswith(ours) else "p"
        parts += [
            f'<text x="{_LABEL_PX - 8}" y="{top + 14}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="{kind}" x="{_LABEL_PX}" y="{top}" width="{length:.1f}" height="{_ROW_PX - 6}"/>',
            f'<text x="{_LABEL_PX + length + 6:.1f}" y="{top + 14}">{value:,.4g} {escape(unit)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
