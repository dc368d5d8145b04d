"""What changes from one bundle of a model to another: for the person who decides whether to pin it.

Read from manifest, baseline and provenance. Figures that a bundle does not hold are left out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.cli.candidates import packaged_at
from serinus.cli.console import megabytes
from serinus.lambda_handlers.contract.bundle import BASELINE, GRAPH, PROVENANCE, read_manifest
from serinus.lambda_handlers.contract.signature import Feature, Signature
from serinus.lambda_handlers.hooks.compatibility import breaking_changes

_MOST_CLASSES = 4


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """A property of both bundles in words; None where one does not hold it."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class BundleComparison:
    """``signature`` lists what changes for callers; ``breaking`` are those changes that break them, a sentence
    each."""

    figures: tuple[ComparedFigure, ...]
    signature: tuple[str, ...]
    breaking: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "figures": {item.name: {"before": item.before, "after": item.after} for item in self.figures},
            "signature": list(self.signature),
            "breaking": list(self.breaking),
        }


def compare_bundles(before: Path | None, after: Path) -> BundleComparison:
    """The bundle in folder ``after`` beside the one in ``before``, if there is one; raises `ContractError` where a
    bundle is damaged."""
    old, new = ({} if before is None else dict(_figures(before))), dict(_figures(after))
    names = [*new, *(name for name in old if name not in new)]
    figures = tuple(ComparedFigure(name, old.get(name), new.get(name)) for name in names)
    if before is None:
        return BundleComparison(figures, (), ())
    old_signature, new_signature = read_manifest(before).signature, read_manifest(after).signature
    breaking = tuple(breaking_changes(old_signature, new_signature))
    return BundleComparison(figures, tuple(signature_changes(old_signature, new_signature)), breaking)


def _figures(folder: Path) -> Iterator[tuple[str, str]]:
    manifest = read_manifest(folder)
    baseline, provenance = _read(folder / BASELINE), _read(folder / PROVENANCE)
    yield "version", manifest.short_version
    if moment := packaged_at(folder):
        yield "packaged", f"{moment:%Y-%m-%d %H:%M}"
    if estimator := provenance.get("source", {}).get("estimator"):
        is_pipeline = estimator.startswith("Pipeline(") and estimator.endswith(")")
        yield "model", estimator[len("Pipeline(") : -1] if is_pipeline else estimator
    yield "library", manifest.framework
    yield "precision", manifest.precision
    yield "graph", megabytes((folder / GRAPH).stat().st_size)
    yield "bundle", megabytes(sum(file.stat().st_size for file in folder.iterdir() if file.is_file()))
    yield "inputs", f"{len(manifest.signature.features)} features"
    yield from _measurements(baseline, provenance)


def _measurements(baseline: dict[str, Any], provenance: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What was measured when the bundle was packaged."""
    if "rows" in baseline:
        yield "sample", f"{baseline['rows']} rows"
    for name, profile in baseline.get("outputs", {}).items():
        if shown := _predictions(profile):
            yield f"predicted {name}", shown
    if score := provenance.get("score"):
        yield f"sample {score['name']}", f"{score['value']:.6g}"
    for name, value in ((provenance.get("holdout") or {}).get("bundle") or {}).items():
        yield f"holdout {name}", f"{value:.6g}"
    if parity := provenance.get("parity"):
        yield (
            "parity",
            f"{parity['labels_equal']:.2%} of labels equal, largest difference {parity['max_abs_difference']:.1e}",
        )
    if acceptance := provenance.get("acceptance"):
        yield "acceptance", acceptance["summary"]
    for counts in (provenance.get("robustness") or {}).get("lines", []):
        if unlike := counts.get("differs", 0) + counts.get("unguarded", 0):
            yield f"edge cases: {counts['probe']}", f"{unlike} differ from the source"


def _predictions(profile: dict[str, Any]) -> str:
    """The distribution of an output on the sample: shares of the most frequent classes, or mean and deviation."""
    if profile.get("kind") == "categorical" and profile.get("count"):
        counted = sorted(profile["categories"], key=lambda item: -item["count"])[:_MOST_CLASSES]
        return ", ".join(f"{item['value']} {item['count'] / profile['count']:.1%}" for item in counted)
    if profile.get("kind") == "numeric" and profile.get("mean") is not None:
        return f"mean {profile['mean']:.6g}, deviation {profile.get('std') or 0.0:.6g}"
    return ""


def signature_changes(before: Signature, after: Signature) -> Iterator[str]:
    """What changes for callers from one signature to the next, a sentence each."""
    old = {feature.name: feature for feature in before.features}
    new = {feature.name: feature for feature in after.features}
    if added := [name for name in new if name not in old]:
        yield f"new features: {', '.join(added)}"
    if removed := [name for name in old if name not in new]:
        yield f"removed features: {', '.join(removed)}"
    by_change: dict[str, list[str]] = {}
    for name in (name for name in new if name in old):
        for change in _value_changes(old[name], new[name]):
            by_change.setdefault(change, []).append(name)
    for change, names in by_change.items():
        yield f"{', '.join(names)}: {change}"
    if before.feature_names() != after.feature_names() and set(old) == set(new):
        yield "the features have another order"
    if before.outputs != after.outputs:
        yield "the outputs have another form"
    if before.classes != after.classes:
        yield "the classes changed"


def _value_changes(before: Feature, after: Feature) -> Iterator[str]:
    """How the values change that a feature accepts, a phrase each."""
    if before.dtype != after.dtype:
        yield f"{after.dtype} instead of {before.dtype}"
    if before.shape != after.shape:
        yield f"shape {list(after.shape)} instead of {list(before.shape)}"
    if before.missing != after.missing:
        yield "may be missing" if after.missing == "accepted" else "may no longer be missing"
    if (before.lowest, before.highest) != (after.lowest, after.highest):
        yield f"{_bounds(after)} instead of {_bounds(before)}"
    if before.unseen != after.unseen:
        yield (
            "accepts values that are not in the sample"
            if after.unseen == "accepted"
            else ("rejects values that are not in the sample")
        )
    old, new = before.categories or (), after.categories or ()
    if added := [value for value in new if value not in old]:
        yield f"new categories {_listed(added)}"
    if removed := [value for value in old if value not in new]:
        yield f"without the categories {_listed(removed)}"


def _bounds(feature: Feature) -> str:
    if feature.lowest is None and feature.highest is None:
        return "any number"
    lowest = "" if feature.lowest is None else f" from {feature.lowest:g}"
    highest = "" if feature.highest is None else f" to {feature.highest:g}"
    return f"numbers{lowest}{highest}"


def _listed(values: Sequence[Any]) -> str:
    more = f" and {len(values) - _MOST_CLASSES} more" if len(values) > _MOST_CLASSES else ""
    return ", ".join(map(repr, values[:_MOST_CLASSES])) + more


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none, since a bundle works without its provenance."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
