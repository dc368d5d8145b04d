"""Layer sizes: ours as resolved and as shipped, for both architectures, beside what people put in their place."""

import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lab import packages
from lab.store import stored
from table import Row, main

from serinus.lambda_handlers.contract.build import BUILD_DIR
from serinus.modelpack.layers import build
from serinus.modelpack.layers.requirements import requirements_file
from serinus.modelpack.layers.targets import lambda_target
from serinus.modelpack.layers.uv import install

ARCHITECTURES = ("x86_64", "arm64")
_MB = 1024 * 1024
NOTE = (
    "MB of 2^20 bytes, as Lambda counts its limit of 250 MB unzipped. `as resolved` is what uv installs from "
    "the same lock; `as shipped` is slimmed, with exact-version bytecode. The layer for the machine's own "
    "processor is imported and makes a prediction when it is built; for the other processor, each ELF file is "
    "checked to be for that processor and no native module to be missing."
)


def measure() -> Iterator[Row]:
    """Unzipped and zipped size of each layer."""
    runtime = f"python{packages.python_version()}"
    with tempfile.TemporaryDirectory() as project:
        made = build(Path(project), [(runtime, architecture) for architecture in ARCHITECTURES], [])
        for architecture in ARCHITECTURES:
            yield _row("serinus, as resolved", architecture, runtime, _resolved(runtime, architecture))
            layer = made.runtime[f"{runtime}-{architecture}"]
            yield _row("serinus, as shipped", architecture, runtime, Path(project) / BUILD_DIR / layer.path)
    own = os.uname().machine.replace("aarch64", "arm64")
    for name, requirements in {
        "scikit-learn and FastAPI": (*packages.scikit_learn(), *packages.FASTAPI),
        "MLflow": (*packages.MLFLOW, *packages.scikit_learn()),
        "BentoML": (*packages.BENTOML, *packages.scikit_learn()),
    }.items():
        short = name.split(" ")[0].lower()
        yield _row(f"{name}, as resolved", own, runtime, packages.install(short, requirements, bytecode=False))


def _resolved(runtime: str, architecture: str) -> Path:
    """Our requirements, installed and left as they are."""
    requirements, target = requirements_file("inference"), lambda_target(runtime, architecture)

    def make(folder: Path) -> None:
        install(requirements, target, folder / "python")

    return stored(f"resolved-{target.name}", (requirements.read_bytes(), target.name), make)


def _row(name: str, architecture: str, runtime: str, layer: Path) -> Row:
    unzipped, zipped = _sizes(layer)
    return {
        "name": name,
        "architecture": architecture,
        "runtime": runtime,
        "unzipped_mb": round(unzipped / _MB, 1),
        "zipped_mb": round(zipped / _MB, 1),
        "unzipped_bytes": unzipped,
        "zipped_bytes": zipped,
    }


def _sizes(layer: Path) -> tuple[int, int]:
    """Bytes of a zip, or of a folder once zipped, unpacked and packed."""
    if layer.is_file():
        with zipfile.ZipFile(layer) as archive:
            return sum(entry.file_size for entry in archive.infolist()), layer.stat().st_size
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "layer.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for file in sorted(layer.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(layer))
        return _sizes(path)


if __name__ == "__main__":
    main("layers", lambda: list(measure()), note=NOTE)
