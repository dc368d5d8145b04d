"""The runtime layer: the packages that a scoring function imports, for one target."""

from pathlib import Path

from serinus.modelpack.layers import native, slim, zips
from serinus.modelpack.layers.cache import cached_layer, key_of
from serinus.modelpack.layers.interpreters import find_interpreter
from serinus.modelpack.layers.manifest import LayerZip, copy_to
from serinus.modelpack.layers.requirements import requirements_file
from serinus.modelpack.layers.smoke import check_layer
from serinus.modelpack.layers.targets import Target
from serinus.modelpack.layers.uv import install
from serinus.modelpack.progress import Progress
from serinus.modelpack.temporary_folder import TemporaryFolder

RUNTIME_LAYER = "inference"


def build_runtime_layer(folder: Path, target: Target, progress: Progress) -> LayerZip:
    """The layer for ``target`` in build folder ``folder``, from the user's cache where possible.

    Raises `LayerError`. Without an interpreter of the target's version the layer has no bytecode.
    """
    requirements = requirements_file(RUNTIME_LAYER)
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        progress.notice(
            f"no Python {target.python} on this machine: its layer is built without bytecode, and every cold "
            "start will compile its modules (about 1.3 s more at 512 MB). To avoid that: "
            f"uv python install {target.python}"
        )
    bytecode = interpreter is not None
    rules = "\n".join([*slim.REMOVED, slim.UNPACKED])
    key = key_of(requirements.read_bytes(), target.name, str(target.platform), rules, str(bytecode))
    cached = cached_layer(key, lambda path: _write(path, requirements, target, interpreter))
    return LayerZip(copy_to(cached, folder / f"{RUNTIME_LAYER}-{target.name}-{key[:12]}.zip"), bytecode)


def _write(path: Path, requirements: Path, target: Target, interpreter: Path | None) -> None:
    with TemporaryFolder(within=path.parent) as scratch:
        packages = scratch / "python"
        install(requirements, target, packages)
        slim.remove_unused(packages)
        if target.platform is not None:
            native.check_machine(packages, target.platform.split("-")[0])
        if interpreter is not None:
            slim.compile_bytecode(packages, interpreter)
            if target.runs_here:
                check_layer(packages, interpreter)
        files = (file for file in packages.rglob("*") if file.is_file())
        zips.write_zip(path, {f"python/{file.relative_to(packages).as_posix()}": file for file in files})
