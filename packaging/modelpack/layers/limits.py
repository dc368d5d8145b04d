"""AWS Lambda's limits on size, checked before anything is uploaded.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB unzipped for a function with all
its layers; 50 MB zipped where a zip is handed to Lambda itself, which uploads through S3, as the CDK's, are not.
"""

from collections.abc import Sequence
from pathlib import Path

from modelpack.errors import LayerLimitError
from modelpack.layers.zips import sizes, unzipped_bytes
from modelpack.progress import Progress

UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
DIRECT_UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024
#: Handler code beside the layers; it is some hundred kilobytes.
FUNCTION_ALLOWANCE_BYTES = 1024 * 1024
_MB = 1024 * 1024


def check_unzipped(what: str, layers: Sequence[Path], limit_bytes: int = UNZIPPED_LIMIT_BYTES) -> None:
    """Raise `LayerLimitError` where a function with these layers exceeds what Lambda unpacks."""
    total = sum(unzipped_bytes(layer) for layer in layers) + FUNCTION_ALLOWANCE_BYTES
    if total > limit_bytes:
        raise LayerLimitError(
            f"{what} is {total / _MB:.1f} MB unzipped with its layers; Lambda allows {limit_bytes / _MB:.1f} MB. "
            f"What weighs: {_heaviest(layers)}. Make the model smaller (fewer or shallower trees).",
            total,
            limit_bytes,
        )


def check_zipped(layer: Path, progress: Progress, limit_bytes: int = DIRECT_UPLOAD_LIMIT_BYTES) -> None:
    """Tell where a zip is too large to be handed to Lambda directly."""
    size = layer.stat().st_size
    if size > limit_bytes:
        progress.notice(
            f"{layer.name} is {size / _MB:.1f} MB zipped, over the {limit_bytes / _MB:.0f} MB that Lambda takes "
            f"directly; the CDK uploads through S3, where only the size unzipped counts. What weighs: "
            f"{_heaviest([layer])}."
        )


def _heaviest(layers: Sequence[Path]) -> str:
    found = sorted((item for layer in layers for item in sizes(layer)), key=lambda item: -item[1])
    return ", ".join(f"{name} {size / _MB:.1f} MB" for name, size in found[:5])
