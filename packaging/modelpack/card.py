"""The model card: what the bundle is, for a person who has never seen it."""

from lambda_handlers.contract.agreement import Agreement
from lambda_handlers.contract.bundle import Manifest
from lambda_handlers.contract.signature import Feature


def write_card(manifest: Manifest, estimator: str, agreement: Agreement, rows: int) -> str:
    """Markdown, the same for the same bundle."""
    signature = manifest.signature
    lines = [
        f"# {manifest.name}",
        "",
        f"Version `{manifest.short_version}` of a {signature.task} model: {estimator}, trained with "
        f"{manifest.framework}.",
        "",
        "## Inputs",
        "",
        "| feature | type | range or categories | missing | unseen |",
        "|---|---|---|---|---|",
        *(_row(feature) for feature in signature.features),
        "",
        "## Outputs",
        "",
        *(f"- `{output.name}`: {output.role}, {output.dtype}" for output in signature.outputs),
    ]
    if signature.classes is not None:
        lines.append(
            f"- classes, in the order of the probabilities: {', '.join(str(c) for c in signature.classes)}"
        )
    tolerance = manifest.tolerance
    lines += [
        "",
        "## Agreement with the source model",
        "",
        f"Compared on {agreement.rows} rows ({rows} of the sample, the rest with missing and unseen values):",
        f"labels equal in {agreement.labels_equal:.4%}, largest difference {agreement.max_abs_difference:.2e}; "
        f"asked: labels {tolerance.labels:.4%}, atol {tolerance.atol:g}, rtol {tolerance.rtol:g}.",
        f"The graph computes in {manifest.precision} behind its preprocessing.",
        "",
    ]
    return "\n".join(lines)


def _row(feature: Feature) -> str:
    if feature.categories is not None:
        shown = ", ".join(str(value) for value in feature.categories[:8])
        extent = shown + (f" and {len(feature.categories) - 8} more" if len(feature.categories) > 8 else "")
    elif feature.minimum is not None:
        extent = f"{feature.minimum:g} to {feature.maximum:g}"
    else:
        extent = ""
    unseen = feature.unseen if feature.categories is not None else ""
    cells = (feature.name, feature.dtype, extent, feature.missing, unseen)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
