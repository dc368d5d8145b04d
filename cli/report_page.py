"""`serinus inspect --html`: the model card as one self-contained page, with parity plots as inline SVG."""

import html
import json
from pathlib import Path
from typing import Any

from lambda_handlers.contract import bundle
from lambda_handlers.contract.bundle import Manifest

_STYLE = Path(__file__).with_name("report_page.css")
_SIDE, _PAD = 280, 46


def render(folder: Path) -> str:
    """The page about the bundle in ``folder``; raises `ContractError` where it is none."""
    manifest = bundle.verify(folder)
    provenance = json.loads((folder / bundle.PROVENANCE).read_bytes())
    parts = [
        f"<h1>{_text(manifest.name)}</h1>",
        f"<p class=lead><code>{manifest.short_version}</code> · {_text(manifest.signature.task)} · "
        f"{_text(provenance['source']['estimator'])} · {_text(manifest.framework)}</p>",
        _tiles(manifest, provenance, folder),
        _section("Parity with the source model", _plots(provenance.get("plots", {}))),
        _section("Precision", _precisions(provenance.get("precisions", []))),
        _holdout(provenance.get("holdout")),
        _section("Inputs", _inputs(manifest)),
        _section("Outputs", _outputs(manifest)),
        _section("Lineage", _lineage(provenance)),
    ]
    style = _STYLE.read_text(encoding="utf-8")
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{_text(manifest.name)}</title><style>{style}</style>"
    )
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>"


def _text(value: object) -> str:
    return html.escape(str(value))


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content}" if content else ""


def _tiles(manifest: Manifest, provenance: dict[str, Any], folder: Path) -> str:
    parity = provenance["parity"]
    tiles = [
        (f"{parity['labels_equal']:.2%}", "labels equal"),
        (f"{parity['max_abs_difference']:.1e}", "largest difference"),
        (f"{parity['rows']:,}", "rows compared"),
        (f"{(folder / bundle.GRAPH).stat().st_size / 1e3:,.1f} kB", "graph"),
        (manifest.precision, "precision"),
    ]
    drawn = "".join(f"<div class=tile><b>{_text(a)}</b><span>{b}</span></div>" for a, b in tiles)
    return f"<div class=tiles>{drawn}</div>"


def _table(heads: list[str], rows: list[tuple[list[str], str]]) -> str:
    """``heads`` that begin with ">" align right; rows are cells, already escaped, and a class."""
    numeric = [head.startswith(">") for head in heads]
    kinds = [" class=n" if right else "" for right in numeric]
    top = "".join(f"<th{kind}>{head.removeprefix('>')}</th>" for head, kind in zip(heads, kinds, strict=True))
    body = "".join(
        f'<tr class="{name}">'
        + "".join(f"<td{k}>{cell}</td>" for cell, k in zip(cells, kinds, strict=True))
        + "</tr>"
        for cells, name in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _precisions(lines: list[dict[str, Any]]) -> str:
    rows = []
    for line in lines:
        agreement = line["agreement"]
        note = "shipped" if line["chosen"] else f"<span class=note>{_text(line['note'])}</span>"
        figures = [""] * 5
        if agreement is not None:
            figures = [
                f"{line['size_bytes'] / 1e3:,.1f}",
                f"{line['one_row_us']:,.0f}",
                f"{line['hundred_rows_us']:,.0f}",
                f"{agreement['labels_equal']:.2%}",
                f"{agreement['max_abs_difference']:.1e}",
            ]
        rows.append(([_text(line["precision"]), *figures, note], "chosen" if line["chosen"] else ""))
    heads = ["", ">kB", ">1 row, µs", ">100 rows, µs", ">labels equal", ">largest difference", ""]
    return _table(heads, rows) if rows else ""


def _holdout(metrics: dict[str, dict[str, float]] | None) -> str:
    if metrics is None:
        return ""
    rows = [
        ([_text(name), f"{value:.6g}", f"{metrics['bundle'][name]:.6g}"], "")
        for name, value in metrics["source"].items()
    ]
    return _section("Metrics on the holdout", _table(["metric", ">source", ">bundle"], rows))


def _inputs(manifest: Manifest) -> str:
    rows = []
    for feature in manifest.signature.features:
        if feature.categories is not None:
            extent = ", ".join(str(value) for value in feature.categories[:6]) + (
                " …" if len(feature.categories) > 6 else ""
            )
        elif feature.minimum is not None and feature.maximum is not None:
            extent = f"{feature.minimum:g} to {feature.maximum:g}"
        else:
            extent = f"tensor {list(feature.shape)}" if feature.shape else ""
        rows.append(([_text(cell) for cell in (feature.name, feature.dtype, extent, feature.missing)], ""))
    return _table(["feature", "type", "range or categories", "missing"], rows)


def _outputs(manifest: Manifest) -> str:
    signature = manifest.signature
    rows = [([_text(cell) for cell in (item.name, item.role, item.dtype)], "") for item in signature.outputs]
    classes = (
        "" if signature.classes is None else f"<p>classes: {_text(', '.join(map(str, signature.classes)))}</p>"
    )
    return _table(["output", "role", "type"], rows) + classes


def _lineage(provenance: dict[str, Any]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(provenance["libraries"].items()))
    source, sample = provenance["source"], provenance["sample"] or {"file": "input example", "sha256": ""}
    rows = [
        (["source", f"{_text(source['file'])} <code class=note>{source['sha256'][:16]}</code>"], ""),
        (["sample", f"{_text(sample['file'])} <code class=note>{sample['sha256'][:16]}</code>"], ""),
        (["packaged", f"{_text(provenance['time'])}, Python {_text(provenance['python'])}"], ""),
        (["libraries", _text(libraries)], ""),
    ]
    return _table(["", ""], rows)


def _plots(plots: dict[str, Any]) -> str:
    drawn = [_scatter(name, points) + _histogram(name, points["differences"]) for name, points in plots.items()]
    return "<div class=plots>" + "".join(drawn) + "</div>" if drawn else ""


def _scatter(name: str, points: dict[str, Any]) -> str:
    """Source across, bundle up; what agrees lies on the line."""
    values: list[float] = [*points["source"], *points["bundle"]] or [0.0]
    low, high = min(values), max(values)
    spread: float = (high - low) or 1.0

    def place(value: float) -> float:
        return _PAD + (value - low) / spread * (_SIDE - _PAD - 8)

    far = place(high)
    dots = "".join(
        f'<circle cx="{place(a):.1f}" cy="{_SIDE - place(b):.1f}" r="3"/>'
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
    return _figure(f"{_text(name)}: source across, bundle up", lines + dots + ticks, f"parity of {_text(name)}")


def _histogram(name: str, counts: list[int]) -> str:
    """How many values differ by how much, a bar a power of ten."""
    most = max(counts) or 1
    step = (_SIDE - 20) / len(counts)
    bottom = _SIDE - _PAD
    bars = "".join(
        f'<rect x="{10 + place * step:.1f}" y="{bottom - count / most * (bottom - 20):.1f}" '
        f'width="{step - 2:.1f}" height="{count / most * (bottom - 20):.1f}" rx="2">'
        f"<title>1e{place - 16}: {count}</title></rect>"
        for place, count in enumerate(counts)
    )
    ticks = "".join(
        f'<text x="{10 + (place + 0.5) * step:.1f}" y="{bottom + 16}" text-anchor=middle>1e{place - 16}</text>'
        for place in range(0, len(counts), 4)
    )
    line = f'<line x1="10" y1="{bottom}" x2="{_SIDE - 10}" y2="{bottom}"/>'
    return _figure(
        f"{_text(name)}: how many values differ by how much", line + bars + ticks, f"differences of {_text(name)}"
    )


def _figure(caption: str, content: str, label: str) -> str:
    size = f'width="{_SIDE}" height="{_SIDE}" viewBox="0 0 {_SIDE} {_SIDE}"'
    drawing = f'<svg {size} role=img aria-label="{label}">{content}</svg>'
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"
