"""AWS Lambda's limits on size, checked before anything is uploaded.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB unzipped for a function with all
its layers; 50 MB zipped for direct uploads, which does not apply to uploads through S3, such as the CDK's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from serinus.lambda_handlers.contract.build import (
    BUILD_DIR,
    FUNCTION_CODE_BYTES,
    LARGEST_UNZIPPED_BYTES,
    read_build,
)
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.modelpack.errors import LayerLimitError
from serinus.modelpack.layers.zips import sizes, unzipped_bytes
from serinus.modelpack.progress import Progress

DIRECT_UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024
#: The smallest runtime layer, where none was built yet.
LEAST_RUNTIME_BYTES = 80 * 1024 * 1024
_MB = 1024 * 1024


def check_unzipped(what: str, layers: Sequence[Path], limit_bytes: int = LARGEST_UNZIPPED_BYTES) -> None:
    """Raise `LayerLimitError` where a function with these layers exceeds Lambda's unzipped limit."""
    total = sum(unzipped_bytes(layer) for layer in layers) + FUNCTION_CODE_BYTES
    if total > limit_bytes:
        raise LayerLimitError(
            f"{what} is {total / _MB:.1f} MB unzipped with its layers; Lambda allows {limit_bytes / _MB:.1f} MB. "
            f"Largest parts: {_heaviest(layers)}. Make the model smaller (fewer or shallower trees).",
            total,
            limit_bytes,
        )


@dataclass(frozen=True, slots=True)
class SizeBudget:
    """Lambda's limit in bytes, shared by a model and a runtime layer of ``runtime_bytes``."""

    runtime_bytes: int
    limit_bytes: int

    @property
    def model_bytes(self) -> int:
        return self.limit_bytes - self.runtime_bytes - FUNCTION_CODE_BYTES

    def check(self, name: str, files: Mapping[str, int], advice: str = "") -> None:
        """Raise `LayerLimitError` where the model's ``files``, sizes by name, leave the function too large."""
        total = sum(files.values()) + self.limit_bytes - self.model_bytes
        if total <= self.limit_bytes:
            return
        weighs = {**files, "runtime layer": self.runtime_bytes, "function code": FUNCTION_CODE_BYTES}
        heaviest = sorted(weighs.items(), key=lambda item: -item[1])
        raise LayerLimitError(
            f"{name} would be {total / _MB:.1f} MB unzipped with its layers; Lambda allows "
            f"{self.limit_bytes / _MB:.1f} MB. Largest parts: "
            f"{', '.join(f'{part} {size / _MB:.1f} MB' for part, size in heaviest)}. "
            f"{advice or 'Make the model smaller (fewer or shallower trees, narrower layers).'}",
            total,
            self.limit_bytes,
        )


def size_budget(project: Path, limit_bytes: int) -> SizeBudget:
    """By the largest runtime layer that ``project`` has built, else by the smallest possible."""
    try:
        built = [layer.unzipped_bytes for layer in read_build(project / BUILD_DIR).runtime.values()]
    except ContractError:
        built = []
    return SizeBudget(max(built, default=LEAST_RUNTIME_BYTES), limit_bytes)


def check_zipped(layer: Path, progress: Progress, limit_bytes: int = DIRECT_UPLOAD_LIMIT_BYTES) -> None:
    """Give notice of a zip that is too large to upload to Lambda directly."""
    size = layer.stat().st_size
    if size > limit_bytes:
        progress.notice(
            f"{layer.name} is {size / _MB:.1f} MB zipped, over Lambda's limit of {limit_bytes / _MB:.0f} MB for "
            f"direct uploads; the CDK uploads through S3, where only the unzipped size counts. Largest parts: "
            f"{_heaviest([layer])}."
        )


def _heaviest(layers: Sequence[Path]) -> str:
    by_size = sorted((item for layer in layers for item in sizes(layer)), key=lambda item: -item[1])
    return ", ".join(f"{name} {size / _MB:.1f} MB" for name, size in by_size[:5])
