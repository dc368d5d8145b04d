"""The page of a report: the verdict in words first, then every column, reference beside the last day."""

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.cli.monitoring.columns import ColumnView, view_columns
from serinus.cli.page_template import render_page, safe_svg

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATE = Path(__file__).with_name("page.html.j2")
_COLUMNS = Path(__file__).with_name("columns.html.j2")
#: Of all pages of models.
STYLE = Path(__file__).parent.parent / "model_card.css"
_WIDTH, _HEIGHT, _LABEL = 260, 90, 14


def render(endpoint: str, report: dict[str, Any]) -> str:
    """One self-contained HTML page."""
    return render_page(
        _TEMPLATE,
        style=safe_svg(STYLE.read_text(encoding="utf-8")),
        endpoint=endpoint,
        report=report,
        in_minutes=in_minutes,
        tiles=_tiles(report),
        clocks=[(item, name, look) for item in report["baselines"] for name, look in item["looks"].items()],
        columns=draw_columns(report),
        unwatched={name: why for item in report["baselines"] for name, why in item["unwatched"].items()},
    )


def draw_columns(report: dict[str, Any]) -> "Markup":
    """The part of a page that shows every column of a report."""
    columns = [(view, safe_svg(_draw(view))) for view in view_columns(report)]
    return safe_svg(render_page(_COLUMNS, columns=columns))


def in_minutes(moment: str) -> str:
    """A report's moment, ISO 8601 in UTC, as people read it."""
    return moment[:16].replace("T", " ")


def coverage_words(report: dict[str, Any]) -> str:
    """The share of the last day's requests that were counted."""
    counted, invoked = report["coverage"]["counted"], report["coverage"]["invoked"]
    return f"{min(1.0, counted / invoked):.1%}" if invoked else "no requests"


def _tiles(report: dict[str, Any]) -> list[tuple[str, str]]:
    rows = sum(item["rows"] for item in report["baselines"])
    requests = sum(item["requests"] for item in report["baselines"])
    refused = sum(item["refused"] for item in report["baselines"])
    return [
        (f"{rows:,}", "rows in the last day"),
        (coverage_words(report), "of requests counted"),
        (f"{refused / requests:.1%}" if requests else "-", "of requests refused"),
        (f"{len(report['findings'])}", "findings"),
    ]


def _draw(view: ColumnView) -> str:
    """A pair of bars for each bin: the reference, and the last day."""
    bins = view.bins[:20]
    step = _WIDTH / max(len(bins), 4)
    most = max((max(before, now) for _, before, now in bins), default=0.0) or 1.0
    bars = []
    for place, (word, before, now) in enumerate(bins):
        for offset, share, style in ((0.06, before, "before"), (0.48, now, "now")):
            height = share / most * _HEIGHT
            label = f"{word}: {before:.2%} in the reference, {now:.2%} in the last day"
            bars.append(
                f'<rect class={style} x="{(place + offset) * step:.1f}" y="{_HEIGHT - height:.1f}" '
                f'width="{0.4 * step:.1f}" height="{max(height, 0.5):.1f}">'
                f"<title>{html.escape(label)}</title></rect>"
            )
    base = f'<line x1="0" y1="{_HEIGHT}" x2="{_WIDTH}" y2="{_HEIGHT}"/>'
    ends = (
        f'<text x="0" y="{_HEIGHT + _LABEL}">{_short(bins[0][0])}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + _LABEL}" text-anchor=end>{_short(bins[-1][0])}</text>'
        if bins
        else ""
    )
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT + _LABEL + 4}"'
    label = html.escape(f"{view.name}: reference and last day")
    return f'<svg class=bins {size} role=img aria-label="{label}">{base}{"".join(bars)}{ends}</svg>'


def _short(word: str) -> str:
    return html.escape(word if len(word) <= 22 else word[:21] + "…")
