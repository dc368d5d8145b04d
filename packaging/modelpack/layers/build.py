"""Builds a deployment's layers: runtime layers for its targets, their twin for this machine, model layers."""

import fcntl
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from serinus.lambda_handlers.contract import bundle
from serinus.lambda_handlers.contract.build import (
    BUILD_DIR,
    BUILD_MANIFEST,
    BuildManifest,
    BuiltLayer,
    runtime_key,
)
from serinus.lambda_handlers.contract.bundle import dump_json
from serinus.modelpack.atomic import write_file
from serinus.modelpack.layers import limits, native
from serinus.modelpack.layers.code import compile_code
from serinus.modelpack.layers.manifest import LayerZip
from serinus.modelpack.layers.model import build_model_layer
from serinus.modelpack.layers.runtime import build_runtime_layer
from serinus.modelpack.layers.targets import lambda_target, twin_target
from serinus.modelpack.progress import Progress, Silent

#: Layers that no manifest names any more are kept this long, for a deployment that may still read them.
_KEPT_SECONDS = 7 * 24 * 3600


def build(
    project: Path,
    targets: Iterable[tuple[str, str]],
    models: Iterable[Path],
    progress: Progress | None = None,
) -> BuildManifest:
    """Build the runtime layers for ``targets`` (runtime, architecture) and the layers of the bundles ``models``
    into the project's build folder; write its manifest and return it.

    Reaches a package index only for a layer that the user's cache does not hold. Raises `LayerError`, and
    `ContractError` for a bundle that is not intact.
    """
    progress = progress or Silent()
    folder = project / BUILD_DIR
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.guard").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        pairs = sorted(set(targets))
        runtime = _runtime_layers(folder, pairs, progress)
        for name in sorted({name for name, _ in pairs}):
            compile_code(folder, name)
        progress.stage("model layers")
        verified = {manifest.version: (manifest.name, source) for manifest, source in map(_verified, models)}
        layers = {
            version: build_model_layer(folder, version, verified[version][1]) for version in sorted(verified)
        }
        _check_limits(
            folder, runtime, {verified[version][0]: layer for version, layer in layers.items()}, progress
        )
        manifest = BuildManifest(runtime, {version: layer.describe() for version, layer in layers.items()})
        write_file(folder / BUILD_MANIFEST, dump_json(manifest.to_json()))
        _prune(folder, manifest)
    return manifest


def _verified(source: Path) -> tuple[bundle.Manifest, Path]:
    return bundle.verify(source), source


def _runtime_layers(folder: Path, pairs: list[tuple[str, str]], progress: Progress) -> dict[str, BuiltLayer]:
    """All targets and the twin, two at a time: one downloads and zips while another compiles."""
    if not pairs:
        return {}
    targets = {pair: lambda_target(*pair) for pair in pairs}
    twin = twin_target()
    needed = list(dict.fromkeys([*targets.values(), twin]))
    progress.stage("runtime layers")
    with ThreadPoolExecutor(max_workers=2) as pool:
        layers = pool.map(lambda target: build_runtime_layer(folder, target, progress), needed)
        built = dict(zip(needed, layers, strict=True))
    if twin.platform is not None:
        for target in targets.values():
            native.check_complete(built[target].path, built[twin].path)
    return {runtime_key(*pair): built[target].describe(built[twin]) for pair, target in targets.items()}


def _check_limits(
    folder: Path, runtime: dict[str, BuiltLayer], models: dict[str, LayerZip], progress: Progress
) -> None:
    for model in models.values():
        limits.check_zipped(model.path, progress)
    for key, layer in runtime.items():
        limits.check_zipped(folder / layer.path, progress)
        for name, model in models.items():
            limits.check_unzipped(f"{name} on {key}", [folder / layer.path, model.path])


def _prune(folder: Path, manifest: BuildManifest) -> None:
    layers = [*manifest.runtime.values(), *manifest.models.values()]
    named = {layer.path for layer in layers} | {layer.twin for layer in layers}
    for path in folder.glob("*.zip"):
        if path.name not in named and time.time() - path.stat().st_mtime > _KEPT_SECONDS:
            path.unlink()
