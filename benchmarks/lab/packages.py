"""Folders of packages, installed by uv for the Python that is measured and kept in the user's cache.

None of them is this checkout's environment: what people would deploy instead never mixes with what we ship.
"""

import importlib.metadata
import os
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path

from lab.store import stored
from serinus.lambda_handlers.contract.build import LARGEST_UNZIPPED_BYTES
from serinus.modelpack.layers import find_interpreter
from serinus.modelpack.layers.uv import uv_command

#: The newest Python that a layer can be built for and that is at hand; the same for all rows.
PYTHONS = ("3.14", "3.13", "3.12")
#: What Lambda's own image holds beside Python, roughly: the client, and the SDK that functions may import.
CLIENT = ("awslambdaric==4.2.2", "boto3==1.44.5")
FASTAPI = ("fastapi==0.165.0", "mangum==0.22.0")
MLFLOW = ("mlflow==3.17.2", "mangum==0.22.0")
BENTOML = ("bentoml==1.4.39", "mangum==0.22.0")


@cache
def python_version() -> str:
    """The minor version that is measured, such as "3.13"; raises `SystemExit` where no layer's Python is here."""
    for version in PYTHONS:
        if find_interpreter(version) is not None:
            return version
    raise SystemExit(
        f"cold starts need a Python that Lambda offers ({', '.join(PYTHONS)}): uv python install 3.13"
    )


def python() -> Path:
    """Its interpreter."""
    found = find_interpreter(python_version())
    assert found is not None
    return found


def python_note() -> str:
    """How the measured interpreter was built, which decides what Python's own part of each row takes."""
    asked = [str(python()), "-c", "import sysconfig; print(sysconfig.get_config_var('CONFIG_ARGS'))"]
    if "--enable-optimizations" in subprocess.run(asked, check=True, capture_output=True, text=True).stdout:
        return f"Python {python_version()} built with profile-guided optimization, as Lambda's is."
    return (
        f"Python {python_version()} built without the profile-guided optimization of Lambda's, which weighs most "
        "on rows that import most Python code."
    )


def scikit_learn() -> tuple[str, ...]:
    """scikit-learn and what its models are made of, in the versions that trained the models here: a pickle is
    read only by its own."""
    return tuple(f"{name}=={importlib.metadata.version(name)}" for name in ("scikit-learn", "joblib", "numpy"))


def install(name: str, requirements: tuple[str, ...], *, bytecode: bool) -> Path:
    """A folder with `python/` inside that holds ``requirements``, as uv leaves them, with or without bytecode."""

    def make(folder: Path) -> None:
        command = [*uv_command(), "pip", "install", "--quiet", "--target", str(folder / "python")]
        command += [
            "--python",
            str(python()),
            "--no-python-downloads",
            "--only-binary",
            ":all:",
            "--link-mode",
            "copy",
        ]
        subprocess.run([*command, *requirements], check=True, cwd=folder)
        for left in (folder / "python").rglob("__pycache__"):
            shutil.rmtree(left)
        if bytecode:
            compile_all(folder / "python")

    return stored(name, (python_version(), *requirements, str(bytecode)), make)


def compile_all(folder: Path) -> None:
    """Bytecode that is never checked against its source, as our own layer holds it. Packages may carry templates
    that are no Python: those stay without, as pip leaves them."""
    command = [str(python()), "-m", "compileall", "-q", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def unpack(archive: Path) -> Path:
    """A layer zip, unpacked."""

    def make(folder: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)

    return stored(archive.stem, (archive.name, str(archive.stat().st_size)), make)


def is_over_limit(folder: Path) -> bool:
    """Whether Lambda would refuse the folder as layers; a container image may be larger."""
    found = (os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)  # noqa: PTH118
    return sum(os.lstat(file).st_size for file in found) > LARGEST_UNZIPPED_BYTES
