"""Makes environments that hold a model's own library versions, resolved by uv and kept in the user's cache.

What a request resolves to is kept by the request, and the environment by what was resolved: two models of the same
versions share one, and neither reaches a package index again.
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

from serinus.modelpack.atomic import folder_beside, write_file
from serinus.modelpack.errors import IsolationError
from serinus.modelpack.isolation.environment_spec import Wanted, name_of
from serinus.modelpack.layers.cache import cache_folder, key_of
from serinus.modelpack.layers.interpreters import find_interpreter
from serinus.modelpack.layers.uv import run_uv
from serinus.modelpack.progress import Progress

#: This room's own code needs the first; scikit-learn is not published for all of them.
_PYTHONS = ("3.13", "3.12", "3.11")
#: What converting needs besides the model's own library, of what the extra `sklearn` brings.
_CONVERTING = ("onnx", "protobuf", "skops")
#: Building a package runs code of its authors' here, for whoever named it; installing a wheel runs none.
_WHEELS_ONLY = ("--only-binary", ":all:")
_HERE = ".".join(platform.python_version_tuple()[:2])
_PYTHON = "bin/python"
_RESOLUTION = "resolution.txt"
_SHOWN_PINS = 20


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment in ``folder``; ``packages`` are versions by distribution name, ``origin`` says where
    they come from."""

    folder: Path
    python: str
    packages: dict[str, str]
    origin: str

    @property
    def interpreter(self) -> Path:
        return self.folder / _PYTHON

    def to_json(self) -> dict[str, object]:
        return {"python": self.python, "packages": self.packages, "origin": self.origin}


def make_environment(wanted: Wanted, progress: Progress) -> Environment:
    """The environment that holds what is ``wanted``; made where the cache has none, which takes a package index.
    Raises `IsolationError`."""
    python, resolution = _resolution(wanted, progress)
    folder = cache_folder() / "environments" / key_of(python, platform.machine(), sys.platform, resolution)[:32]
    with _guarded(folder):
        if not _runs(folder):
            progress.notice(
                f"making an environment with {_shown(wanted)} on Python {python}, once; kept in {folder.parent}"
            )
            shutil.rmtree(folder, ignore_errors=True)
            with folder_beside(folder) as draft:
                _install(draft, python, resolution)
    packages = dict(line.split("==", 1) for line in resolution.splitlines() if "==" in line)
    return Environment(folder, python, packages, wanted.origin)


def _resolution(wanted: Wanted, progress: Progress) -> tuple[str, str]:
    """Python's minor release and the pinned requirements, one a line."""
    asked = "\n".join((*wanted.requirements, *_converters(wanted))) + "\n"
    kept = cache_folder() / "resolutions" / f"{key_of(asked, wanted.python or '', _HERE)[:32]}.txt"
    if kept.is_file():
        python, _, resolution = kept.read_text(encoding="utf-8").partition("\n")
        return python, resolution
    progress.notice(f"resolving {_shown(wanted)} ({wanted.origin})")
    said = ""
    for python in _pythons(wanted):
        done = _compile(asked, python)
        if done.returncode == 0:
            write_file(kept, f"{python}\n{done.stdout}".encode())
            return python, done.stdout
        said = said or done.stderr
        if "No solution found" not in done.stderr:
            break
    raise IsolationError(
        f"no environment could be resolved with {_shown(wanted)} ({wanted.origin}):\n{_last_lines(said)}\n"
        "Only wheels are installed. Check the network and the package index (UV_DEFAULT_INDEX or PIP_INDEX_URL); "
        "give versions that go together with --env requirements.txt; or package with the installed ones: "
        "--allow-version-skew."
    )


def _compile(asked: str, python: str) -> "subprocess.CompletedProcess[str]":
    command = ["pip", "compile", "-", "--no-header", "--no-annotate", "--quiet", "--python-version", python]
    return run_uv([*command, *_WHEELS_ONLY], given=asked)


def _install(folder: Path, python: str, resolution: str) -> None:
    found = find_interpreter(python)
    (folder / _RESOLUTION).write_text(resolution, encoding="utf-8")
    made = run_uv(["venv", "--quiet", "--allow-existing", "--python", str(found or python), str(folder)])
    if made.returncode:
        raise IsolationError(
            f"Python {python}, which the model's versions need, was not found on this machine, and uv could not "
            f"fetch it ({_last_lines(made.stderr, 1)}). Install it (uv python install {python}, pyenv, or the "
            "system's packages), or package with the installed versions: --allow-version-skew."
        )
    command = ["pip", "install", "--quiet", "--python", str(folder / _PYTHON), "--no-deps"]
    done = run_uv([*command, *_WHEELS_ONLY, "-r", str(folder / _RESOLUTION)])
    if done.returncode:
        raise IsolationError(
            f"the packages of {folder.name} could not be installed:\n{_last_lines(done.stderr)}\n"
            "Check the network and the package index (UV_DEFAULT_INDEX or PIP_INDEX_URL), then package again."
        )


def _converters(wanted: Wanted) -> tuple[str, ...]:
    """What converts: skl2onnx as it is here, which our own converters are written against, and what it needs."""
    asked = [line.partition(";") for line in metadata.requires("serinus") or ()]
    ranges = [line.strip() for line, _, marker in asked if "sklearn" in marker]
    lines = [line for line in ranges if name_of(line) in _CONVERTING]
    pandas = [] if "pandas" in map(name_of, wanted.requirements) else ["pandas"]
    return (f"skl2onnx=={metadata.version('skl2onnx')}", *lines, *pandas)


def _pythons(wanted: Wanted) -> list[str]:
    """Minor releases in the order in which they are tried: the model's own and this one first, what is on this
    machine before what would have to be fetched."""
    first = [wanted.python] if wanted.python in _PYTHONS else []
    order = list(dict.fromkeys([*first, _HERE, *_PYTHONS]))
    return sorted(order, key=lambda python: find_interpreter(python) is None)


def _runs(folder: Path) -> bool:
    """Whether the environment is there and its interpreter, which is a link to one of the machine, still is."""
    try:
        return subprocess.run([folder / _PYTHON, "-I", "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.guard").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in folder.parent.glob(f".{folder.name}.*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _shown(wanted: Wanted) -> str:
    pins = [line.strip().replace("==", " ") for line in wanted.requirements if "==" in line]
    more = f" and {len(pins) - _SHOWN_PINS} more" if len(pins) > _SHOWN_PINS else ""
    return ", ".join(pins[:_SHOWN_PINS]) + more or wanted.origin


def _last_lines(said: str, count: int = 8) -> str:
    return "\n".join([line for line in said.strip().splitlines() if line.strip()][-count:])
