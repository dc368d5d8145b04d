"""Layer zips in a project's build folder, and their entries in its manifest."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from serinus.lambda_handlers.contract.build import BuiltLayer
from serinus.modelpack.layers import zips
from serinus.modelpack.temporary_folder import TemporaryFolder


@dataclass(frozen=True, slots=True)
class LayerZip:
    """A zip in the build folder, and whether exact-version bytecode is inside."""

    path: Path
    bytecode: bool

    def describe(self, twin: "LayerZip | None" = None) -> BuiltLayer:
        """Its entry in the build manifest."""
        return BuiltLayer(
            path=self.path.name,
            sha256=zips.hash_zip(self.path),
            zipped_bytes=self.path.stat().st_size,
            unzipped_bytes=zips.unzipped_bytes(self.path),
            bytecode=self.bytecode,
            twin=twin.path.name if twin else None,
        )


def copy_to(cached: Path, target: Path) -> Path:
    """Copy ``cached`` to ``target`` in one step, unless an equal file exists there; return ``target``."""
    if target.is_file() and zips.hash_zip(target) == zips.hash_zip(cached):
        os.utime(target)
        return target
    with TemporaryFolder(within=target.parent) as scratch:
        draft = scratch / target.name
        shutil.copyfile(cached, draft)
        draft.replace(target)
    return target
