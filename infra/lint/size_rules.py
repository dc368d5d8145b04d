"""Whether the built layers fit into a function. Layers that are not built yet are synth's to report."""

from collections.abc import Iterator
from pathlib import Path

from serinus.infra.lint.finding import Problem
from serinus.infra.release import find_layers
from serinus.infra.settings import Endpoint, Settings
from serinus.lambda_handlers.contract.build import FUNCTION_CODE_BYTES, LARGEST_UNZIPPED_BYTES

#: Share of Lambda's limit from which the next library may not fit.
_NEARLY = 0.9


def check_sizes(project: Path, settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Layers beyond, or close to, Lambda's 250 MB unzipped."""
    layers = find_layers(project, settings, endpoint)
    total = sum(layer.unzipped_bytes for layer in layers) + FUNCTION_CODE_BYTES
    if total > _NEARLY * LARGEST_UNZIPPED_BYTES:
        beyond = total > LARGEST_UNZIPPED_BYTES
        yield Problem(
            "error" if beyond else "warning",
            ("model",),
            f"it is {total / 2**20:.1f} MB unzipped with its layers; Lambda allows "
            f"{LARGEST_UNZIPPED_BYTES / 2**20:.1f} MB",
            f"`serinus inspect {endpoint.model} --sizes` lists the sizes; use a smaller model (fewer or shallower "
            "trees, narrower layers) or a lower precision",
        )
