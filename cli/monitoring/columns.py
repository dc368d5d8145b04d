"""A report's columns as people compare them: evidence of both clocks, effect size, and the bin that moved most."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class ColumnView(NamedTuple):
    """``evidence`` is the larger of both clocks, as a share of that at which the endpoint alarms; ``stability``
    is the population stability index; ``moved`` the bin whose share differs most, with the shares."""

    baseline: str
    name: str
    role: str
    tested: bool
    drifts: bool
    evidence: float
    stability: float
    moved: tuple[str, float, float] | None
    bins: tuple[tuple[str, float, float], ...]


def view_columns(report: Mapping[str, Any]) -> list[ColumnView]:
    """All counted columns of a report, those that drift first, then by evidence and effect size."""
    drifting = {
        (finding["baseline"], finding["column"], finding["role"])
        for finding in report["findings"]
        if finding["kind"] in ("drift", "constraint")
    }
    views = [
        _view(column, item, drifts=(item["baseline"], column["column"], column["role"]) in drifting)
        for item in report["baselines"]
        for column in item["columns"]
    ]
    return sorted(views, key=lambda view: (not view.drifts, -view.evidence, -view.stability, view.name))


def _view(column: Mapping[str, Any], item: Mapping[str, Any], *, drifts: bool) -> ColumnView:
    from serinus.lambda_handlers.monitoring.endpoint_streams import stability_index

    before, now = column["before"], column["now"]
    bins = tuple((word, share, now.get(word, 0.0)) for word, share in before.items())
    evidence = [
        entry["evidence"] / look["alarms_at"]
        for look in item["looks"].values()
        for entry in look["columns"]
        if entry["column"] == column["column"]
    ]
    moved = max(bins, key=lambda each: abs(each[2] - each[1]), default=None) if now else None
    return ColumnView(
        item["baseline"],
        column["column"],
        column["role"],
        column["tested"],
        drifts,
        max(evidence, default=0.0),
        stability_index(before, now) if now else 0.0,
        moved,
        bins if now else tuple((word, share, 0.0) for word, share, _ in bins),
    )
