"""The model layer: the files of a bundle that are deployed to the function."""

from pathlib import Path

from serinus.lambda_handlers.contract import bundle
from serinus.modelpack.layers import zips
from serinus.modelpack.layers.manifest import LayerZip
from serinus.modelpack.temporary_folder import TemporaryFolder


def build_model_layer(folder: Path, version: str, source: Path) -> LayerZip:
    """The layer of the verified bundle in ``source``, with paths where the run time looks for them."""
    path = folder / f"model-{version[: bundle.SHORT]}.zip"
    if not zips.is_intact(path):
        with TemporaryFolder(within=folder) as scratch:
            draft = scratch / path.name
            files = {
                f"python/{bundle.MODEL_PACKAGE}/{name}": source / name for name in bundle.shipped_files(source)
            }
            zips.write_zip(draft, files)
            draft.replace(path)
    return LayerZip(path, bytecode=False)
