"""Creates environments with a model's own library versions, resolved by uv and kept in the user's cache.

Resolutions are cached by requirements, and environments by resolution: two models of the same versions share one,
and neither reaches a package index again.
"""

import fcntl
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from serinus.modelpack.atomic import folder_beside, write_file
from serinus.modelpack.errors import IsolationError
from serinus.modelpack.isolation.environment_spec import EnvironmentSpec, distribution_name
from serinus.modelpack.layers.cache import cache_folder, key_of
from serinus.modelpack.layers.interpreters import find_interpreter
from serinus.modelpack.layers.uv import run_uv
from serinus.modelpack.progress import Progress

#: This room's own code requires 3.11; some scikit-learn releases have no wheels for the later ones.
_PYTHONS = ("3.13", "3.12", "3.11")
#: Dependencies of the extra `sklearn` that conversion needs besides the model's own library.
_CONVERTING = ("onnx", "protobuf", "skops")
#: Building a package runs its authors' code on this machine; installing a wheel runs none.
_WHEELS_ONLY = ("--only-binary", ":all:")
_THIS_PYTHON = ".".join(platform.python_version_tuple()[:2])
_PYTHON = "bin/python"
_RESOLUTION = "resolution.txt"
_SHOWN_PINS = 20


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment in ``folder``; ``packages`` are versions by distribution name, ``origin`` names their
    source."""

    folder: Path
    python: str
    packages: dict[str, str]
    origin: str

    @property
    def interpreter(self) -> Path:
        return self.folder / _PYTHON

    def to_json(self) -> dict[str, object]:
        return {"python": self.python, "packages": self.packages, "origin": self.origin}


def ensure_environment(spec: EnvironmentSpec, progress: Progress) -> Environment:
    """The environment for ``spec``, from the cache or else created, which needs a package index. Raises
    `IsolationError`."""
    python, resolution = _resolution(spec, progress)
    folder = cache_folder() / "environments" / key_of(python, platform.machine(), sys.platform, resolution)[:32]
    with _locked(folder):
        if not _is_usable(folder):
            progress.notice(
                f"creating an environment with {_describe(spec)} on Python {python}; cached in {folder.parent}"
            )
            shutil.rmtree(folder, ignore_errors=True)
            with folder_beside(folder) as draft:
                _install(draft, python, resolution)
    packages = dict(line.split("==", 1) for line in resolution.splitlines() if "==" in line)
    return Environment(folder, python, packages, spec.origin)


def _resolution(spec: EnvironmentSpec, progress: Progress) -> tuple[str, str]:
    """Python's minor release and the pinned requirements, one a line."""
    requirements = "\n".join((*spec.requirements, *_converters(spec))) + "\n"
    cached = cache_folder() / "resolutions" / f"{key_of(requirements, spec.python or '', _THIS_PYTHON)[:32]}.txt"
    if cached.is_file():
        python, _, resolution = cached.read_text(encoding="utf-8").partition("\n")
        return python, resolution
    progress.notice(f"resolving {_describe(spec)} ({spec.origin})")
    stderr = ""
    for python in _candidate_pythons(spec):
        done = _compile(requirements, python)
        if done.returncode == 0:
            write_file(cached, f"{python}\n{done.stdout}".encode())
            return python, done.stdout
        stderr = stderr or done.stderr
        if "No solution found" not in done.stderr:
            break
    raise IsolationError(
        f"no environment could be resolved with {_describe(spec)} ({spec.origin}):\n{_last_lines(stderr)}\n"
        "Only wheels are installed. Check the network and the package index (UV_DEFAULT_INDEX or PIP_INDEX_URL); "
        "pass compatible versions with --requirements FILE; or use the installed versions: --allow-version-skew."
    )


def _compile(requirements: str, python: str) -> "subprocess.CompletedProcess[str]":
    command = ["pip", "compile", "-", "--no-header", "--no-annotate", "--quiet", "--python-version", python]
    return run_uv([*command, *_WHEELS_ONLY], stdin=requirements)


def _install(folder: Path, python: str, resolution: str) -> None:
    interpreter = find_interpreter(python)
    (folder / _RESOLUTION).write_text(resolution, encoding="utf-8")
    created = run_uv(["venv", "--quiet", "--allow-existing", "--python", str(interpreter or python), str(folder)])
    if created.returncode:
        raise IsolationError(
            f"Python {python}, which the model's versions require, was not found on this machine, and uv could "
            f"not download it ({_last_lines(created.stderr, 1)}). Install it (uv python install {python}, pyenv, "
            "or the system's packages), or use the installed versions: --allow-version-skew."
        )
    command = ["pip", "install", "--quiet", "--python", str(folder / _PYTHON), "--no-deps"]
    done = run_uv([*command, *_WHEELS_ONLY, "-r", str(folder / _RESOLUTION)])
    if done.returncode:
        raise IsolationError(
            f"the packages of {folder.name} could not be installed:\n{_last_lines(done.stderr)}\n"
            "Check the network and the package index (UV_DEFAULT_INDEX or PIP_INDEX_URL), then package again."
        )


def _converters(spec: EnvironmentSpec) -> tuple[str, ...]:
    """The converters: the installed skl2onnx, which our own converters are written against, and its needs."""
    dependencies = map(Requirement, metadata.requires("serinus") or ())
    of_extra = [item for item in dependencies if item.marker and item.marker.evaluate({"extra": "sklearn"})]
    lines = [f"{item.name}{item.specifier}" for item in of_extra if item.name in _CONVERTING]
    pandas = [] if "pandas" in map(distribution_name, spec.requirements) else ["pandas"]
    return (f"skl2onnx=={metadata.version('skl2onnx')}", *lines, *pandas)


def _candidate_pythons(spec: EnvironmentSpec) -> list[str]:
    """Minor releases in the order in which they are tried: the model's own and this one first, those on this
    machine before those to download."""
    first = [spec.python] if spec.python in _PYTHONS else []
    order = list(dict.fromkeys([*first, _THIS_PYTHON, *_PYTHONS]))
    return sorted(order, key=lambda python: find_interpreter(python) is None)


def _is_usable(folder: Path) -> bool:
    """Whether the environment exists and its interpreter, a link to one of this machine, still works."""
    try:
        return subprocess.run([folder / _PYTHON, "-I", "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.guard").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in folder.parent.glob(f".{folder.name}.*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _describe(spec: EnvironmentSpec) -> str:
    pins = [line.strip().replace("==", " ") for line in spec.requirements if "==" in line]
    more = f" and {len(pins) - _SHOWN_PINS} more" if len(pins) > _SHOWN_PINS else ""
    return ", ".join(pins[:_SHOWN_PINS]) + more or spec.origin


def _last_lines(output: str, count: int = 8) -> str:
    return "\n".join([line for line in output.strip().splitlines() if line.strip()][-count:])
