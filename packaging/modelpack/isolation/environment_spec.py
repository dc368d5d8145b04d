"""Which environment a model wants: none where what saved it is installed, else one that holds it."""

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from serinus.modelpack.isolation.saved_versions import Saved, read_saved

#: The libraries whose release decides what a model predicts; the extra that brings each bears its name.
FRAMEWORKS = ("scikit-learn", "xgboost", "lightgbm", "catboost")
#: What may stand in for a library: the same code without the parts for graphics cards.
_STAND_INS = {"xgboost": "xgboost-cpu"}
_FIRST_STAND_IN = {"xgboost": (2, 1, 1)}
#: Up to each scikit-learn release, what was current in its time: newer ones came to drop what it calls.
_CONTEMPORARIES = (
    ((1, 3), ("numpy<2", "scipy<1.12", "pandas<3")),
    ((1, 4), ("numpy<2.1", "scipy<1.14", "pandas<3")),
    ((1, 5), ("numpy<2.2", "scipy<1.15", "pandas<3")),
    ((1, 6), ("numpy<2.3", "scipy<1.16", "pandas<3")),
    ((1, 7), ("numpy<2.4", "scipy<1.17", "pandas<3")),
)
#: XGBoost before this release is no regressor to scikit-learn 1.6 and later, which ask for tags.
_TAGGED_XGBOOST = (2, 1, 3)
_BEFORE_TAGS = (1, 5)
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_PIN = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^]]*\])?\s*==\s*([0-9][0-9A-Za-z.+!]*)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """``requirements`` are names with versions, as `pins` reads them; ``origin`` says where they come from, for a
    person. ``python`` is the minor release that the model was trained under ("3.11"), where that is known."""

    requirements: tuple[str, ...]
    origin: str
    python: str | None = None


def by_file(path: Path) -> Wanted | None:
    """What model file ``path`` wants by the versions written in it; None where the installed ones serve."""
    saved = read_saved(path)
    if not any(_is_skewed(name, version) for name, version in saved.versions.items()):
        return None
    return Wanted(requirements_of(saved), f"read from {path.name}")


def by_requirements(
    lines: tuple[str, ...], origin: str, path: Path, *, always: bool, python: str | None
) -> Wanted | None:
    """What requirements ``lines`` ask for, and the model file ``path`` for libraries that they do not name.

    Unless ``always``, None where each framework that they pin is installed in that minor release, and the file
    wants nothing either.
    """
    pins = pins_of(lines)
    if not always and not any_skewed(lines):
        return by_file(path)
    named = {name_of(line) for line in lines}
    # MLflow logs the library's name beside the stand-in that was installed; the two hold the same files.
    doubled = {name for name, stand_in in _STAND_INS.items() if {name, stand_in} <= named}
    lines = tuple(line for line in lines if name_of(line) not in doubled)
    saved = read_saved(path)
    unnamed = {
        name: version for name, version in saved.versions.items() if not {name, _STAND_INS.get(name, name)} & named
    }
    known = pins | unnamed
    found = requirements_of(Saved(known, saved.numpy_2, saved.boosters))
    added = [line for line in found if not {name_of(line), _STAND_INS.get(name_of(line) or "")} & named]
    return Wanted((*lines, *added), origin, python)


def any_skewed(lines: tuple[str, ...]) -> bool:
    """Whether requirements pin a framework to another minor release than is installed."""
    return any(_is_skewed(name, version) for name, version in pins_of(lines).items())


def pins_of(lines: tuple[str, ...]) -> dict[str, str]:
    """The frameworks that requirements pin to one version."""
    found = {name_of(line): match[1] for line in lines if (match := _PIN.match(line))}
    for name, stand_in in _STAND_INS.items():
        if stand_in in found:
            found.setdefault(name, found[stand_in])
    return {name: version for name, version in found.items() if name in FRAMEWORKS}


def name_of(line: str) -> str | None:
    """The distribution that a line of requirements names, as indexes compare names; None for options.
    https://peps.python.org/pep-0503/#normalized-names"""
    match = _NAME.match(line)
    return None if match is None else re.sub(r"[-_.]+", "-", match[1]).lower()


def requirements_of(saved: Saved) -> tuple[str, ...]:
    """The libraries that saved a model, in pip's words, among what was current in their time. Boosters that write
    no version, for they read what older ones wrote, are wanted as they are installed."""
    lines = [f"{_distribution(name, version)}=={version}" for name, version in saved.versions.items()]
    unsaid = sorted(saved.boosters - saved.versions.keys())
    lines += [
        name if (here := _installed(name)) is None else f"{_distribution(name, here)}=={here}" for name in unsaid
    ]
    bounds = _contemporaries(saved)
    if saved.numpy_2:
        bounds = (*bounds, "numpy>=2")
    return (*lines, *bounds)


def _contemporaries(saved: Saved) -> tuple[str, ...]:
    release = _numbers(saved.versions.get("scikit-learn", ""))[:2]
    if release:
        return next((bounds for last, bounds in _CONTEMPORARIES if release <= last), ())
    if _numbers(saved.versions.get("xgboost", "9")) >= _TAGGED_XGBOOST:
        return ()
    return (
        f"scikit-learn<{_BEFORE_TAGS[0]}.{_BEFORE_TAGS[1] + 1}",
        *next(bounds for last, bounds in _CONTEMPORARIES if last == _BEFORE_TAGS),
    )


def _distribution(name: str, version: str) -> str:
    return _STAND_INS[name] if _numbers(version) >= _FIRST_STAND_IN.get(name, (10**6,)) else name


def _is_skewed(name: str, version: str) -> bool:
    """Whether another minor release of library ``name`` is installed; not where none is: an extra missing."""
    installed = _installed(name)
    return installed is not None and _numbers(installed)[:2] != _numbers(version)[:2]


def _installed(name: str) -> str | None:
    for distribution in (name, _STAND_INS.get(name, name)):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])
