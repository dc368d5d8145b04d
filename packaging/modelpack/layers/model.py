"""The model layer: the files of a bundle that are deployed to the function."""

import tempfile
from pathlib import Path

from serinus.lambda_handlers.contract import bundle
from serinus.modelpack.layers import zips
from serinus.modelpack.layers.manifest import LayerZip


def build_model_layer(folder: Path, version: str, source: Path) -> LayerZip:
    """The layer of the verified bundle in ``source``, with paths where the run time looks for them."""
    path = folder / f"model-{version[: bundle.SHORT]}.zip"
    if not zips.is_intact(path):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            draft = Path(scratch) / path.name
            files = {f"python/{bundle.MODEL_PACKAGE}/{name}": source / name for name in bundle.SHIPPED}
            zips.write_zip(draft, files)
            draft.replace(path)
    return LayerZip(path, bytecode=False)
