"""Builds what a deployment needs: runtime layers for its targets, their twin for this machine, model layers."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lambda_handlers.contract import bundle
from lambda_handlers.contract.build import BUILD_DIR, BUILD_MANIFEST, BuildManifest, BuiltLayer, runtime_key
from lambda_handlers.contract.bundle import dump_json
from modelpack.atomic import write_file
from modelpack.layers import limits, slim, zips
from modelpack.layers.cache import cached_layer, key_of
from modelpack.layers.interpreters import find_interpreter
from modelpack.layers.requirements import requirements_file
from modelpack.layers.smoke import check_layer
from modelpack.layers.targets import Target, lambda_target, twin_target
from modelpack.layers.uv import install
from modelpack.progress import Progress, Silent

RUNTIME_LAYER = "inference"
#: Layers of a build that nothing names any more are kept this long, for a deployment that may still read them.
_KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class _Made:
    """A layer zip in the build folder."""

    path: Path
    bytecode: bool

    def describe(self, twin: "_Made | None" = None) -> BuiltLayer:
        return BuiltLayer(
            path=self.path.name,
            sha256=zips.hash_zip(self.path),
            zipped_bytes=self.path.stat().st_size,
            unzipped_bytes=zips.unzipped_bytes(self.path),
            bytecode=self.bytecode,
            twin=twin.path.name if twin else None,
        )


def build(
    project: Path,
    wanted: Iterable[tuple[str, str]],
    models: Iterable[Path],
    progress: Progress | None = None,
) -> BuildManifest:
    """Build the runtime layers for ``wanted`` (runtime, architecture) and the layers of the bundles ``models``
    into the project's build folder; write its manifest and return it.

    Reaches a package index only for a layer that the user's cache does not hold. Raises `LayerError`, and
    `ContractError` for a bundle that is not intact.
    """
    progress = progress or Silent()
    folder = project / BUILD_DIR
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.guard").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        runtime = _runtime_layers(folder, sorted(set(wanted)), progress)
        progress.stage("model layers")
        built = {manifest.version: (manifest, source) for manifest, source in _verified(models)}
        model = {version: _model_layer(folder, version, source) for version, (_, source) in sorted(built.items())}
        _check_limits(
            folder, runtime, {built[version][0].name: layer for version, layer in model.items()}, progress
        )
        manifest = BuildManifest(runtime, {version: layer.describe() for version, layer in model.items()})
        write_file(folder / BUILD_MANIFEST, dump_json(manifest.to_json()))
        _prune(folder, manifest)
    return manifest


def _verified(models: Iterable[Path]) -> Iterable[tuple[bundle.Manifest, Path]]:
    for source in models:
        yield bundle.verify(source), source


def _runtime_layers(folder: Path, wanted: list[tuple[str, str]], progress: Progress) -> dict[str, BuiltLayer]:
    """All targets and the twin, two at a time: one downloads and zips while another compiles."""
    targets = {pair: lambda_target(*pair) for pair in wanted}
    twin = twin_target()
    needed = list(dict.fromkeys([*targets.values(), twin])) if wanted else []
    progress.stage("runtime layers")
    with ThreadPoolExecutor(max_workers=2) as pool:
        made = dict(
            zip(needed, pool.map(lambda target: _runtime_layer(folder, target, progress), needed), strict=True)
        )
    return {runtime_key(*pair): made[target].describe(made[twin]) for pair, target in targets.items()}


def _runtime_layer(folder: Path, target: Target, progress: Progress) -> _Made:
    """The layer for one target, from the cache where it is there."""
    requirements = requirements_file(RUNTIME_LAYER)
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        progress.notice(
            f"no Python {target.python} on this machine: its layer is built without bytecode, and every cold "
            "start will compile its modules anew (about 1.3 s more at 512 MB). To avoid that: "
            f"uv python install {target.python}"
        )
    rules = "\n".join([*slim.REMOVED, slim.UNPACKED])
    bytecode = interpreter is not None
    key = key_of(requirements.read_bytes(), target.name, str(target.platform), rules, str(bytecode))

    def make(path: Path) -> None:
        _make_runtime_zip(path, requirements, target, interpreter)

    cached = cached_layer(key, make)
    return _Made(_bring(cached, folder / f"{RUNTIME_LAYER}-{target.name}-{key[:12]}.zip"), bytecode)


def _make_runtime_zip(path: Path, requirements: Path, target: Target, interpreter: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="serinus-layer-") as scratch:
        packages = Path(scratch) / "python"
        install(requirements, target, packages)
        slim.remove_unused(packages)
        if interpreter is not None:
            slim.compile_bytecode(packages, interpreter)
            if target.runs_here:
                check_layer(packages, interpreter)
        files = {
            f"python/{file.relative_to(packages).as_posix()}": file
            for file in packages.rglob("*")
            if file.is_file()
        }
        zips.write_zip(path, files)


def _model_layer(folder: Path, version: str, source: Path) -> _Made:
    """The shipped files of a bundle, where the run time looks for them."""
    path = folder / f"model-{version[: bundle.SHORT]}.zip"
    if not zips.is_intact(path):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            draft = Path(scratch) / path.name
            zips.write_zip(
                draft, {f"python/{bundle.MODEL_PACKAGE}/{name}": source / name for name in bundle.SHIPPED}
            )
            draft.replace(path)
    return _Made(path, bytecode=False)


def _check_limits(
    folder: Path, runtime: dict[str, BuiltLayer], models: dict[str, _Made], progress: Progress
) -> None:
    for model in models.values():
        limits.check_zipped(model.path, progress)
    for key, layer in runtime.items():
        limits.check_zipped(folder / layer.path, progress)
        for name, model in models.items():
            limits.check_unzipped(f"{name} on {key}", [folder / layer.path, model.path])


def _bring(cached: Path, target: Path) -> Path:
    """A copy in the project, made in one step."""
    if target.is_file() and zips.hash_zip(target) == zips.hash_zip(cached):
        os.utime(target)
        return target
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        draft = Path(scratch) / target.name
        shutil.copyfile(cached, draft)
        draft.replace(target)
    return target


def _prune(folder: Path, manifest: BuildManifest) -> None:
    layers = [*manifest.runtime.values(), *manifest.models.values()]
    named = {layer.path for layer in layers} | {layer.twin for layer in layers}
    for path in folder.glob("*.zip"):
        if path.name not in named and time.time() - path.stat().st_mtime > _KEPT_SECONDS:
            path.unlink()
