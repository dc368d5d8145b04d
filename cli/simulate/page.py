"""The page of a simulation: the outcome in words, evidence over the days, and the monitor's last report."""

import html
import math
from pathlib import Path

from serinus.cli.monitoring.page import STYLE, draw_columns
from serinus.cli.page_template import render_page, safe_svg
from serinus.cli.simulate.outcome import SimulationResult
from serinus.cli.simulate.record import SimulationRecord

_TEMPLATE = Path(__file__).with_name("page.html.j2")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 920, 220, 56, 24
#: Powers of ten of the evidence that an alarm requires which the drawing shows.
_LOWEST, _HIGHEST = -8, 4


def render(record: SimulationRecord, result: SimulationResult) -> str:
    """One self-contained HTML page."""
    return render_page(
        _TEMPLATE,
        style=safe_svg(STYLE.read_text(encoding="utf-8")),
        record=record,
        result=result,
        tiles=_tiles(record, result),
        evidence=safe_svg(_draw_evidence(record)),
        columns=draw_columns(record.report),
    )


def _tiles(record: SimulationRecord, result: SimulationResult) -> list[tuple[str, str]]:
    delays = [item.delay_hours for item in result.drifts if item.delay_hours is not None]
    return [
        (f"{record.days}", "days"),
        (f"{record.sent_rows:,}", "rows sent"),
        (f"{min(delays)} h" if delays else "-", "until the first drift was found"),
        (f"{len(result.false_findings)}", "wrong findings"),
        (f"{sum(record.seconds.values()):.0f} s", "on this machine"),
    ]


def _draw_evidence(record: SimulationRecord) -> str:
    """Both clocks' evidence by hour on powers of ten, with the line at which they alarm."""
    hours = max(1, 24 * record.days)

    def x(hour: float) -> float:
        return _LEFT + hour / hours * (_WIDTH - _LEFT - 8)

    def y(power: float) -> float:
        inside = min(max(power, _LOWEST), _HIGHEST)
        return 8 + (_HIGHEST - inside) / (_HIGHEST - _LOWEST) * (_HEIGHT - _BOTTOM - 8)

    parts = [
        f'<line x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y(power):.1f}" y2="{y(power):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y(power) + 4:.1f}" text-anchor=end>{label}</text>'
        for power, label in ((0, "alarm"), (-4, "1e-4"), (-8, "1e-8"), (4, "1e4"))
    ]
    step = max(1, record.days // 14)
    parts += [
        f'<text x="{x(24 * day):.1f}" y="{_HEIGHT - 6}" text-anchor={"end" if day == record.days else "middle"}>'
        f"day {day}</text>"
        for day in range(0, record.days + 1, step)
    ]
    parts += [
        f'<line class=same x1="{x(24 * drift.day):.1f}" x2="{x(24 * drift.day):.1f}" '
        f'y1="8" y2="{_HEIGHT - _BOTTOM}">'
        f"<title>{html.escape(str(drift))}</title></line>"
        for drift in record.drifts
    ]
    for clock in ("slow", "fast"):
        points = [
            f"{x(one.hour + 1):.1f},{y(math.log10(max(one.evidence[clock], 1e-30))):.1f}"
            for one in record.hours
            if clock in one.evidence
        ]
        parts.append(f'<polyline class={clock} points="{" ".join(points)}"/>')
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg class=evidence {size} role=img aria-label="evidence by hour">{"".join(parts)}</svg>'
