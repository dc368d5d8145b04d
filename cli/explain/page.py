"""The explanation on a screen, and as a page of its own."""

from pathlib import Path

from rich.table import Table

from serinus.cli.console import table
from serinus.cli.explain.explanation import Explanation
from serinus.cli.monitoring.page import STYLE
from serinus.cli.page_template import render_page, safe_svg

_TEMPLATE = Path(__file__).with_name("page.html.j2")


def sections(explanation: Explanation) -> list[tuple[str, tuple[str, ...]]]:
    """Titles and sentences, in order; the signals come after the first."""
    return [
        ("Why", explanation.why),
        ("Thresholds", explanation.thresholds),
        ("What would have changed it", explanation.alternatives),
        ("Replay", explanation.replay),
        ("No longer kept", explanation.not_kept),
    ]


def signal_table(explanation: Explanation) -> Table:
    """The signals for a terminal."""
    shown = table("signal", ">new version", ">stable version", ">evidence of harm")
    for row in explanation.signals:
        shown.add_row(row.signal, row.canary, row.stable, row.evidence)
    return shown


def render(explanation: Explanation) -> str:
    """One self-contained HTML page."""
    style = safe_svg(STYLE.read_text(encoding="utf-8"))
    return render_page(_TEMPLATE, style=style, explanation=explanation, sections=sections(explanation))
