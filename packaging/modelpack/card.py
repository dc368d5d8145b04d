"""The model card: describes the bundle to a person who has never seen it, fit to be attached to a review."""

import json
from collections.abc import Callable
from typing import Any

from serinus.lambda_handlers.contract.agreement import LEAST_COSINE
from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.bundle import BundleContent
from serinus.modelpack.label_changes import LabelChanges
from serinus.modelpack.label_verdict import LabelVerdict
from serinus.modelpack.markdown import code, text
from serinus.modelpack.robustness.report import Robustness

#: The packages of the source's own environment that readers need; the provenance lists all.
_SHOWN_PACKAGES = (
    "scikit-learn",
    "xgboost",
    "xgboost-cpu",
    "lightgbm",
    "catboost",
    "numpy",
    "scipy",
    "pandas",
    "skl2onnx",
)


def write_card(manifest: Manifest, provenance: dict[str, Any], parts: BundleContent, rows: int) -> str:
    """Markdown, the same for the same bundle and source: times and latencies stay in the provenance."""
    lines = [
        f"# {manifest.name}",
        "",
        f"Version `{manifest.short_version}` of a {manifest.signature.task} model: "
        f"{text(provenance['source']['estimator'])}, trained with {text(manifest.framework)}.",
        "",
        *_inputs(manifest),
        *_data(json.loads(parts.baseline)),
        *_outputs(manifest),
        *_agreement(manifest, provenance["parity"], rows, by_labels=_shipped(provenance)["verdict"] is not None),
        *_acceptance(provenance["acceptance"]),
        *_robustness(Robustness.from_json(provenance["robustness"])),
        *_precisions(provenance["precisions"]),
        *_by_labels(_shipped(provenance), provenance["advice"]),
        *_score(provenance["score"]),
        *_holdout(provenance["holdout"]),
        *_lineage(manifest, provenance, len(parts.graph)),
        *["## Limits", "", *(f"- {line}" for line in limits(manifest)), ""],
    ]
    return "\n".join(lines)


def _inputs(manifest: Manifest) -> list[str]:
    heads = ["| feature | type | range or categories | missing | unseen |", "|---|---|---|---|---|"]
    return ["## Inputs", "", *heads, *(_feature_row(feature) for feature in manifest.signature.features), ""]


def _data(baseline: dict[str, Any]) -> list[str]:
    """The profile of the sample and of its predictions."""
    heads = ["| column | missing | values |", "|---|---:|---|"]
    columns = {**baseline["features"], **baseline["outputs"]}
    return [
        "## Data",
        "",
        f"Profiled on {baseline['rows']} rows of the sample: features, then predictions.",
        "",
        *heads,
        *(_profile_row(name, profile) for name, profile in columns.items() if profile["kind"] != "columns"),
        "",
    ]


def _profile_row(name: str, profile: dict[str, Any]) -> str:
    if profile["kind"] == "categorical":
        listed = [f"{item['value']} ({item['count']})" for item in profile["categories"][:8]]
        summary = ", ".join(listed) + (" …" if len(profile["categories"]) > 8 or profile["other"] else "")
    elif profile.get("mean") is None:
        summary = ""
    else:
        summary = f"mean {profile['mean']:.4g}, standard deviation {profile['std']:.4g}"
    return _table_row(name, profile["missing"], summary)


def _score(score: dict[str, Any] | None) -> list[str]:
    if score is None:
        return []
    return [
        f"The source's {score['name']} on the sample, which may be training data, is {score['value']:.4f}.",
        "",
    ]


def _outputs(manifest: Manifest) -> list[str]:
    signature = manifest.signature
    lines = [
        "## Outputs",
        "",
        *(f"- {code(output.name)}: {output.role}, {output.dtype}" for output in signature.outputs),
    ]
    if signature.classes is not None:
        named = ", ".join(text(label) for label in signature.classes)
        lines.append(f"- classes, in the order of the probabilities: {named}")
    for number, classes in enumerate(signature.target_classes or ()):
        named = ", ".join(text(label) for label in classes)
        lines.append(f"- classes of label {number}, in the order of probabilities_{number}: {named}")
    return [*lines, ""]


def _agreement(manifest: Manifest, parity: dict[str, Any], rows: int, *, by_labels: bool) -> list[str]:
    """The figures and what was required; of a graph that labels accepted, what is required of golden rows."""
    tolerance = manifest.tolerance
    required = "accepted by labels, see below; required of golden rows" if by_labels else "required"
    return [
        "## Agreement with the source model",
        "",
        f"Compared on {parity['rows']} rows ({rows} of the sample, the rest with missing and unseen values):",
        f"labels equal in {parity['labels_equal']:.4%}, largest difference {parity['max_abs_difference']:.2e}; "
        f"{required}: labels {tolerance.labels:.4%}, atol {tolerance.atol:g}, rtol {tolerance.rtol:g}.",
        *_direction(parity["cosine"], tolerance),
        f"After preprocessing, the graph computes in {manifest.precision}.",
        "",
    ]


def _direction(cosine: float | None, tolerance: Tolerance) -> list[str]:
    if cosine is None:
        return []
    least = LEAST_COSINE if tolerance.cosine is None else tolerance.cosine
    instead = "" if tolerance.cosine is None else ", instead of atol and rtol"
    return [f"Vectors keep their direction: least cosine {cosine:.6f}; required: {least:g}{instead}."]


def _acceptance(acceptance: dict[str, Any] | None) -> list[str]:
    """The user's own test, where there is one; a bundle without passing it is never written."""
    if acceptance is None:
        return []
    passed = f"Passed, all {acceptance['requirements']} requirements: {text(acceptance['summary'])}."
    return ["## Acceptance test", "", passed, "It is made again before each release gets traffic.", ""]


def _robustness(robustness: Robustness) -> list[str]:
    """The endpoint's outcome on values that the sample does not hold."""
    lines = ["## Edge cases", ""]
    if robustness.lines:
        lines += ["| input | outcome | features |", "|---|---|---|"]
        lines += [_table_row(line.probe, line.summary(), line.where()) for line in robustness.lines]
        lines.append("")
    if robustness.reason:
        lines += [f"Not probed in full: {text(robustness.reason)}.", ""]
    return lines


def _precisions(table: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Precision",
        "",
        "| precision | size, kB | labels equal | largest difference | |",
        "|---|---:|---:|---:|---|",
    ]
    for line in table:
        agreement = line["agreement"]
        figures = ("", "", "")
        if agreement is not None:
            share, most = agreement["labels_equal"], agreement["max_abs_difference"]
            figures = (f"{line['size_bytes'] / 1e3:.1f}", f"{share:.2%}", f"{most:.1e}")
        remark = "**shipped**" if line["chosen"] else text(line["note"])
        lines.append("| " + " | ".join((text(line["title"]), *figures, remark)) + " |")
    return [*lines, ""]


def _shipped(provenance: dict[str, Any]) -> dict[str, Any]:
    """The line of the precision that is shipped."""
    return next(line for line in provenance["precisions"] if line["chosen"])


def _by_labels(shipped: dict[str, Any], advice: str) -> list[str]:
    """Why a graph that differs from the source was shipped; or what labels would allow."""
    if shipped["verdict"] is None:
        return [text(advice), ""] if advice else []
    verdict = LabelVerdict.from_json(shipped["verdict"])
    where = "the holdout" if verdict.origin == "holdout" else "the sample, which may be training data"
    lines = [
        f"{shipped['precision']} differs from the source and is as good by {verdict.rows} labelled rows of",
        f"{where}: at a confidence of 95 %, no metric is worse by more than {verdict.allowed:g} (errors, losses:",
        "than that share). Paired by row:",
        "",
        f"| metric | source | {shipped['precision']} | worse by | at most |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, loss in verdict.losses.items():
        figures = (f"{loss.source:.6g}", f"{loss.bundle:.6g}", f"{loss.loss:.2g}", f"{loss.at_most:.2g}")
        lines.append(_table_row(name, *figures))
    return [*lines, "", *_changed_labels(verdict.changes)]


def _changed_labels(changes: LabelChanges | None) -> list[str]:
    """The labels that changed, by direction: on which side of the threshold they lay before and after."""
    if changes is None:
        return []
    lines = [f"{changes.summary().capitalize()}.", ""]
    if not changes.directions:
        return lines
    scored = any(direction.source is not None for direction in changes.directions)
    heads = ["from", "to", "rows", *(["probability of the second: source", "bundle"] if scored else [])]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for direction in changes.directions:
        ranges = [f"{low:.3f} to {high:.3f}" for low, high in (direction.source, direction.bundle) if scored]  # type: ignore[misc]
        lines.append(_table_row(direction.before, direction.after, direction.rows, *ranges))
    return [*lines, ""]


def _holdout(metrics: dict[str, dict[str, float]] | None) -> list[str]:
    if metrics is None:
        return []
    rows = [
        f"| {name} | {value:.6g} | {metrics['bundle'][name]:.6g} |" for name, value in metrics["source"].items()
    ]
    return ["## Metrics on the holdout", "", "| metric | source | bundle |", "|---|---:|---:|", *rows, ""]


def _lineage(manifest: Manifest, provenance: dict[str, Any], graph_bytes: int) -> list[str]:
    source, sample = provenance["source"], provenance["sample"]
    lines = [
        "## Lineage",
        "",
        f"- source: {code(source['file'])}, SHA-256 `{source['sha256'][:16]}…`, {text(manifest.framework)}",
    ]
    if sample is not None:
        lines.append(f"- sample: {code(sample['file'])}, SHA-256 `{sample['sha256'][:16]}…`")
    libraries = provenance["libraries"]
    named = ", ".join(
        f"{name} {libraries[name]}" for name in ("skl2onnx", "onnx", "onnxruntime") if name in libraries
    )
    own = provenance.get("environment_of_source")
    if own is not None:
        kept = [f"{name} {version}" for name, version in own["packages"].items() if name in _SHOWN_PACKAGES]
        lines.append(
            f"- source run and converted by {', '.join(kept)} on Python {own['python']}, {text(own['origin'])}"
        )
    rows = {
        "synthetic": "drawn within each column of the sample, none of its rows, and predicted by the source",
        "sample": "rows of the sample, shipped with the bundle and committed with it",
    }
    return [
        *lines,
        f"- golden set: {rows[provenance['golden']]}",
        f"- converted by {named}, on Python {provenance['python']}",
        f"- graph: {graph_bytes} bytes",
        "",
    ]


def limits(manifest: Manifest, quoted: Callable[[str], str] = code) -> list[str]:
    """The inputs that the endpoint refuses and the limits of the comparison, a sentence each; ``quoted`` formats
    feature names."""
    features = manifest.signature.features
    closed = [
        feature.name for feature in features if feature.categories is not None and feature.unseen == "refused"
    ]
    needed = [feature.name for feature in features if feature.missing == "refused"]
    lines = ["Infinite numbers and values of another type are refused with status 422."]
    if needed:
        lines.append(
            f"A missing value is refused in {_listed(needed, quoted)}: the source model does not accept it."
        )
    if closed:
        lines.append(f"Categories not seen in training are refused in {_listed(closed, quoted)}.")
    bounded = [feature for feature in features if feature.lowest is not None or feature.highest is not None]
    if bounded:
        named = "; ".join(f"{quoted(feature.name)} {_bounds(feature)}" for feature in bounded[:8])
        more = f"; and {len(bounded) - 8} more features" if len(bounded) > 8 else ""
        lines.append(f"Numbers are refused outside the range that agrees with the source: {named}{more}.")
    lines.append("Agreement was measured on the rows above and on edge cases, in one feature or all at a time.")
    return lines


def _bounds(feature: Feature) -> str:
    low = "" if feature.lowest is None else f"from {feature.lowest:.8g}"
    high = "" if feature.highest is None else f"to {feature.highest:.8g}"
    return f"{low} {high}".strip()


def _listed(names: list[str], quoted: Callable[[str], str]) -> str:
    shown = ", ".join(quoted(name) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _feature_row(feature: Feature) -> str:
    if feature.categories is not None:
        shown = ", ".join(str(value) for value in feature.categories[:8])
        extent = shown + (f" and {len(feature.categories) - 8} more" if len(feature.categories) > 8 else "")
    elif feature.minimum is not None:
        extent = f"{feature.minimum:g} to {feature.maximum:g}"
    elif feature.shape:
        extent = f"tensor {list(feature.shape)}"
    else:
        extent = ""
    unseen = feature.unseen if feature.categories is not None else ""
    return _table_row(feature.name, feature.dtype, extent, feature.missing, unseen)


def _table_row(*cells: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(text(cell) for cell in cells) + " |"
