"""`serinus inspect --html`: the model card as one self-contained page, fit to be attached to a review."""

import html
import json
from pathlib import Path
from typing import Any

from serinus.cli.model_card_plots import draw_distribution, draw_parity
from serinus.lambda_handlers.contract import bundle
from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.signature import Feature

_STYLE = Path(__file__).with_name("model_card.css")


def render(folder: Path) -> str:
    """The page about the bundle in ``folder``; raises `ContractError` where it is none."""
    manifest = bundle.verify(folder)
    provenance = json.loads((folder / bundle.PROVENANCE).read_bytes())
    baseline = json.loads((folder / bundle.BASELINE).read_bytes())
    parts = [
        f"<h1>{_text(manifest.name)}</h1>",
        f"<p class=lead><code>{manifest.short_version}</code> · {_text(manifest.signature.task)} · "
        f"{_text(provenance['source']['estimator'])} · {_text(manifest.framework)}</p>",
        _tiles(manifest, provenance, folder),
        _section("Data and inputs", _inputs(manifest, baseline)),
        _section("Outputs", _outputs(manifest, baseline)),
        _section("Metrics", _metrics(provenance)),
        _section("Parity with the source model", _parity(manifest, provenance, baseline)),
        _section("Hard values", _robustness(provenance)),
        _section("Precision", _precisions(provenance.get("precisions", []))),
        _section("Lineage", _lineage(provenance)),
        _section("Limits", _limits(manifest)),
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


def _robustness(provenance: dict[str, Any]) -> str:
    """What the endpoint does with values that the sample does not hold."""
    from serinus.modelpack.robustness.report import Robustness

    if "robustness" not in provenance:
        return ""
    robustness = Robustness.from_json(provenance["robustness"])
    rows = [([_text(line.probe), _text(line.summary()), _text(line.where())], "") for line in robustness.lines]
    said = f"<p class=note>Not probed in full: {_text(robustness.reason)}.</p>" if robustness.reason else ""
    return (_table(["tried", "answered", "in"], rows) if rows else "") + said


def _precisions(lines: list[dict[str, Any]]) -> str:
    """The candidates that were measured; the others by what became of them."""
    rows = []
    for line in (line for line in lines if line["agreement"] is not None):
        note = "shipped" if line["chosen"] else f"<span class=note>{_text(line['note'])}</span>"
        figures = [
            f"{line['size_bytes'] / 1e3:,.1f}",
            f"{line['session_ms']:,.1f}",
            f"{line['one_row_us']:,.0f}",
            f"{line['hundred_rows_us']:,.0f}",
            f"{line['agreement']['labels_equal']:.2%}",
            f"{line['agreement']['max_abs_difference']:.1e}",
        ]
        rows.append(([_text(line["title"]), *figures, note], "chosen" if line["chosen"] else ""))
    heads = ["", ">kB", ">session, ms", ">1 row, µs", ">100 rows, µs", ">labels equal", ">largest difference", ""]
    left: dict[str, list[str]] = {}
    for line in (line for line in lines if line["agreement"] is None):
        left.setdefault(line["note"], []).append(line["precision"])
    notes = "".join(f"<p class=note>{_text(', '.join(names))}: {_text(note)}</p>" for note, names in left.items())
    return (_table(heads, rows) if rows else "") + notes


def _metrics(provenance: dict[str, Any]) -> str:
    metrics, score = provenance.get("holdout"), provenance.get("score")
    parts = []
    if metrics is not None:
        rows = [
            ([_text(name), f"{value:.6g}", f"{metrics['bundle'][name]:.6g}"], "")
            for name, value in metrics["source"].items()
        ]
        parts.append(_table(["on the holdout", ">source", ">bundle"], rows))
    if score is not None:
        parts.append(
            f"<p>{_text(score['name'])} of the source on the sample: <b>{score['value']:.4f}</b> "
            "<span class=note>(the sample may hold rows that it was trained on)</span></p>"
        )
    none = "<p class=note>No labelled rows were given; --holdout and --target measure both sides.</p>"
    return "".join(parts) or none


def _parity(manifest: Manifest, provenance: dict[str, Any], baseline: dict[str, Any]) -> str:
    parity, asked = provenance["parity"], manifest.tolerance
    said = (
        f"<p>Compared on {parity['rows']:,} rows: {baseline['rows']:,} of the sample, the rest variants of them "
        f"with missing and unseen values. Labels equal in {parity['labels_equal']:.4%} "
        f"(asked: {asked.labels:.4%}), "
        f"largest difference {parity['max_abs_difference']:.2e} (asked: {asked.atol:g} + {asked.rtol:g} · value), "
        f"{parity['rows_out_of_tolerance']:,} rows out of tolerance.</p>"
    )
    return said + draw_parity(provenance.get("plots", {}))


def _inputs(manifest: Manifest, baseline: dict[str, Any]) -> str:
    rows = []
    for feature in manifest.signature.features:
        profile = baseline["features"][feature.name]
        missing = profile["missing"] / (baseline["rows"] or 1)
        drawn = draw_distribution(profile)
        unseen = feature.unseen if feature.categories is not None else ""
        cells = [_text(cell) for cell in (feature.name, feature.dtype)]
        rest = [_text(cell) for cell in (_extent(feature, profile), f"{missing:.1%}", feature.missing, unseen)]
        rows.append(([*cells, drawn, *rest], ""))
    heads = ["feature", "type", "in the sample", "values", ">missing", "if missing", "if unseen"]
    return f"<p>Profiled on {baseline['rows']:,} rows of the sample.</p>{_table(heads, rows)}"


def _extent(feature: Feature, profile: dict[str, Any]) -> str:
    if feature.shape:
        return f"tensor {list(feature.shape)}"
    if feature.minimum is not None and feature.maximum is not None:
        middle = "" if profile.get("mean") is None else f", mean {profile['mean']:.4g}"
        return f"{feature.minimum:g} to {feature.maximum:g}{middle}"
    known = feature.categories or [item["value"] for item in profile.get("categories", [])]
    return ", ".join(str(value) for value in known[:6]) + (f" and {len(known) - 6} more" if len(known) > 6 else "")


def _outputs(manifest: Manifest, baseline: dict[str, Any]) -> str:
    signature = manifest.signature
    rows = [
        (
            [
                *(_text(cell) for cell in (item.name, item.role, item.dtype)),
                *_predicted(baseline["outputs"][item.name]),
            ],
            "",
        )
        for item in signature.outputs
    ]
    classes = (
        "" if signature.classes is None else f"<p>classes: {_text(', '.join(map(str, signature.classes)))}</p>"
    )
    return _table(["output", "role", "type", "on the sample", ""], rows) + classes


def _predicted(profile: dict[str, Any]) -> list[str]:
    """A drawing of an output, and its shares or mean in words; of several columns the last."""
    if profile["kind"] == "columns":
        name, last = list(profile["columns"].items())[-1]
        drawn, said = _predicted(last)
        return [drawn, f"{_text(name)}: {said}"]
    if profile["kind"] == "categorical":
        shares = [
            f"{item['value']} {item['count'] / (profile['count'] or 1):.1%}" for item in profile["categories"][:6]
        ]
        return [draw_distribution(profile), _text(", ".join(shares))]
    mean = profile.get("mean")
    return [draw_distribution(profile), "" if mean is None else f"mean {mean:.4g}"]


def _lineage(provenance: dict[str, Any]) -> str:
    source, sample = provenance["source"], provenance["sample"] or {"file": "input example", "sha256": ""}
    rows = [
        (["source", f"{_text(source['file'])} <code class=note>{source['sha256'][:16]}</code>"], ""),
        (["sample", f"{_text(sample['file'])} <code class=note>{sample['sha256'][:16]}</code>"], ""),
        (["packaged", f"{_text(provenance['time'])}, Python {_text(provenance['python'])}"], ""),
        (["libraries", _versions(provenance["libraries"])], ""),
    ]
    own = provenance.get("environment_of_source")
    if own is not None:
        said = f"Python {_text(own['python'])}, {_text(own['origin'])}: {_versions(own['packages'])}"
        rows.append((["source run by", said], ""))
    return _table(["", ""], rows)


def _versions(libraries: dict[str, str]) -> str:
    return _text(", ".join(f"{name} {version}" for name, version in sorted(libraries.items())))


def _limits(manifest: Manifest) -> str:
    from serinus.modelpack.card import limits

    items = limits(manifest, lambda name: f"<code>{_text(name)}</code>")
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"
