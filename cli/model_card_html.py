"""`serinus inspect --html`: the model card as one self-contained page, fit to be attached to a review."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.cli.model_card_plots import draw_distribution, draw_parity
from serinus.cli.page_template import render_page, safe_svg
from serinus.lambda_handlers.contract import bundle
from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.signature import Feature

_TEMPLATE = Path(__file__).with_name("model_card.html.j2")
_STYLE = Path(__file__).with_name("model_card.css")


@dataclass(frozen=True, slots=True)
class Row:
    """A table's row: its cells, and a CSS class."""

    cells: list[Any]
    style: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """``heads`` that begin with ">" align right."""

    heads: list[str]
    rows: list[Row]


def render(folder: Path) -> str:
    """The page about the bundle in ``folder``; raises `ContractError` if it does not hold one."""
    from serinus.modelpack.card import limits

    manifest = bundle.verify(folder)
    provenance = json.loads((folder / bundle.PROVENANCE).read_bytes())
    baseline = bundle.read_baseline(folder)
    return render_page(
        _TEMPLATE,
        style=safe_svg(_STYLE.read_text(encoding="utf-8")),
        manifest=manifest,
        provenance=provenance,
        sample_rows=baseline["rows"],
        tiles=_tiles(manifest, provenance, folder),
        inputs=_inputs(manifest, baseline),
        outputs=_outputs(manifest, baseline),
        metrics=_metrics(provenance),
        parity_plots=safe_svg(draw_parity(provenance.get("plots", {}))),
        robustness=_robustness(provenance),
        precisions=_precisions(provenance.get("precisions", [])),
        skipped_precisions=_skipped_precisions(provenance.get("precisions", [])),
        by_labels=_by_labels(provenance.get("precisions", [])),
        lineage=_lineage(provenance),
        limits=limits(manifest, _marked_code),
        code_mark=_CODE,
    )


#: JupyterLab has styles of its own for tables, whose colours are those of its theme.
_AGAINST_THE_NOTEBOOK = (
    "table { color: inherit; font-size: inherit; table-layout: auto; margin: 0; } "
    "tr { background: none !important; } td { text-align: left; }"
)


def render_part(folder: Path) -> str:
    """The page of `render` as a part of another one, such as a notebook: its styles hold in this part alone."""
    page = render(folder)
    style = _STYLE.read_text(encoding="utf-8").replace(":root {", "& {").replace("body {", "& {")
    style += _AGAINST_THE_NOTEBOOK
    content = page.partition("<body>")[2].rpartition("</body>")[0]
    return f"<style>.serinus-card {{ {style} }}</style><div class=serinus-card>{content}</div>"


#: Encloses a feature's name in a sentence of `limits`; the template sets what stands between two in code.
_CODE = "\x00"


def _marked_code(name: str) -> str:
    return f"{_CODE}{name.replace(_CODE, '')}{_CODE}"


def _tiles(manifest: Manifest, provenance: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    parity = provenance["parity"]
    return [
        (f"{parity['labels_equal']:.2%}", "labels equal"),
        (f"{parity['max_abs_difference']:.1e}", "largest difference"),
        (f"{parity['rows']:,}", "rows compared"),
        (f"{(folder / bundle.GRAPH).stat().st_size / 1e3:,.1f} kB", "graph"),
        (manifest.precision, "precision"),
    ]


def _robustness(provenance: dict[str, Any]) -> dict[str, Any] | None:
    """How the endpoint responds to values that the sample does not hold."""
    from serinus.modelpack.robustness.report import Robustness

    if "robustness" not in provenance:
        return None
    robustness = Robustness.from_json(provenance["robustness"])
    rows = [Row([line.probe, line.summary(), line.where()]) for line in robustness.lines]
    return {"table": Table(["input", "response", "features"], rows), "reason": robustness.reason}


def _precisions(lines: list[dict[str, Any]]) -> Table:
    """The candidates that were measured."""
    rows = []
    for line in (line for line in lines if line["agreement"] is not None):
        figures = [
            f"{line['size_bytes'] / 1e3:,.1f}",
            f"{line['session_ms']:,.1f}",
            f"{line['one_row_us']:,.0f}",
            f"{line['hundred_rows_us']:,.0f}",
            f"{line['agreement']['labels_equal']:.2%}",
            f"{line['agreement']['max_abs_difference']:.1e}",
        ]
        note = "shipped" if line["chosen"] else line["note"]
        rows.append(Row([line["title"], *figures, note], "chosen" if line["chosen"] else ""))
    heads = ["", ">kB", ">session, ms", ">1 row, µs", ">100 rows, µs", ">labels equal", ">largest difference", ""]
    return Table(heads, rows)


def _by_labels(lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Why a graph that differs from its source was shipped: losses by metric, and the labels that changed."""
    from serinus.modelpack.label_verdict import LabelVerdict

    shipped = next((line for line in lines if line["chosen"] and line.get("verdict")), None)
    if shipped is None:
        return None
    verdict = LabelVerdict.from_json(shipped["verdict"])
    losses = [
        Row([name, f"{loss.source:.6g}", f"{loss.bundle:.6g}", f"{loss.loss:.2g}", f"{loss.at_most:.2g}"])
        for name, loss in verdict.losses.items()
    ]
    changes = verdict.changes
    changed = [
        Row([item.before, item.after, item.rows, _range(item.source), _range(item.bundle)])
        for item in (changes.directions if changes else ())
    ]
    heads = ["from", "to", ">rows", "probability before", "probability now"]
    return {
        "summary": f"As good as the source by {verdict.rows:,} labelled rows of the {verdict.origin}, paired, "
        f"at 95 %: no metric worse by more than {verdict.allowed:g}. "
        + (f"{changes.summary()}." if changes else ""),
        "table": Table(["by labels", ">source", f">{shipped['precision']}", ">worse by", ">at most"], losses),
        "directions": Table(heads, changed),
    }


def _range(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def _skipped_precisions(lines: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The candidates that were not measured, by the reason."""
    skipped: dict[str, list[str]] = {}
    for line in (line for line in lines if line["agreement"] is None):
        skipped.setdefault(line["note"], []).append(line["precision"])
    return skipped


def _metrics(provenance: dict[str, Any]) -> Table | None:
    metrics = provenance.get("holdout")
    if metrics is None:
        return None
    rows = [
        Row([name, f"{value:.6g}", f"{metrics['bundle'][name]:.6g}"]) for name, value in metrics["source"].items()
    ]
    return Table(["on the holdout", ">source", ">bundle"], rows)


def _inputs(manifest: Manifest, baseline: dict[str, Any]) -> Table:
    rows = []
    for feature in manifest.signature.features:
        profile = baseline["features"][feature.name]
        missing = profile["missing"] / (baseline["rows"] or 1)
        unseen = feature.unseen if feature.categories is not None else ""
        drawing = safe_svg(draw_distribution(profile))
        values = [_extent(feature, profile), f"{missing:.1%}", feature.missing, unseen]
        rows.append(Row([feature.name, feature.dtype, drawing, *values]))
    return Table(["feature", "type", "in the sample", "values", ">missing", "if missing", "if unseen"], rows)


def _extent(feature: Feature, profile: dict[str, Any]) -> str:
    if feature.shape:
        return f"tensor {list(feature.shape)}"
    if feature.minimum is not None and feature.maximum is not None:
        middle = "" if profile.get("mean") is None else f", mean {profile['mean']:.4g}"
        return f"{feature.minimum:g} to {feature.maximum:g}{middle}"
    values = feature.categories or [item["value"] for item in profile.get("categories", [])]
    more = f" and {len(values) - 6} more" if len(values) > 6 else ""
    return ", ".join(str(value) for value in values[:6]) + more


def _outputs(manifest: Manifest, baseline: dict[str, Any]) -> Table:
    rows = [
        Row([item.name, item.role, item.dtype, *_predictions(baseline["outputs"][item.name])])
        for item in manifest.signature.outputs
    ]
    return Table(["output", "role", "type", "on the sample", ""], rows)


def _predictions(profile: dict[str, Any]) -> list[Any]:
    """A drawing of an output, and its shares or mean in words; of several columns the last."""
    if profile["kind"] == "columns":
        name, last = list(profile["columns"].items())[-1]
        drawing, words = _predictions(last)
        return [drawing, f"{name}: {words}"]
    drawing = safe_svg(draw_distribution(profile))
    if profile["kind"] == "categorical":
        shares = [
            f"{item['value']} {item['count'] / (profile['count'] or 1):.1%}" for item in profile["categories"][:6]
        ]
        return [drawing, ", ".join(shares)]
    mean = profile.get("mean")
    return [drawing, "" if mean is None else f"mean {mean:.4g}"]


def _lineage(provenance: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Title, text and hash of each line."""
    source, sample = provenance["source"], provenance["sample"] or {"file": "input example", "sha256": ""}
    lines = [
        ("source", source["file"], source["sha256"][:16]),
        ("sample", sample["file"], sample["sha256"][:16]),
        ("packaged", f"{provenance['time']}, Python {provenance['python']}", ""),
        ("libraries", _versions(provenance["libraries"]), ""),
    ]
    own = provenance.get("environment_of_source")
    if own is not None:
        words = f"Python {own['python']}, {own['origin']}: {_versions(own['packages'])}"
        lines.append(("source run by", words, ""))
    return lines


def _versions(libraries: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(libraries.items()))
