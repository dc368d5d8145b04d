"""The environment that a model requires: none where the versions that saved it are installed."""

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from serinus.modelpack.isolation.saved_versions import SavedVersions, read_saved_versions

#: The libraries whose release decides a model's predictions; each extra bears the name of its library.
FRAMEWORKS = ("scikit-learn", "xgboost", "lightgbm", "catboost")
#: Distributions with the same code, without the parts for graphics cards.
_STAND_INS = {"xgboost": "xgboost-cpu"}
_FIRST_STAND_IN = {"xgboost": (2, 1, 1)}
#: Up to each scikit-learn release, the libraries of its time: newer ones dropped functions that it calls.
_CONTEMPORARIES = (
    ((1, 3), ("numpy<2", "scipy<1.12", "pandas<3")),
    ((1, 4), ("numpy<2.1", "scipy<1.14", "pandas<3")),
    ((1, 5), ("numpy<2.2", "scipy<1.15", "pandas<3")),
    ((1, 6), ("numpy<2.3", "scipy<1.16", "pandas<3")),
    ((1, 7), ("numpy<2.4", "scipy<1.17", "pandas<3")),
)
#: scikit-learn 1.6 and later identify regressors by tags, which XGBoost has from this release on.
_TAGGED_XGBOOST = (2, 1, 3)
_BEFORE_TAGS = (1, 5)


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """``requirements`` are names with versions; ``origin`` names their source, for messages. ``python`` is the
    minor release that the model was trained under ("3.11"), where that is known."""

    requirements: tuple[str, ...]
    origin: str
    python: str | None = None


def spec_from_file(path: Path) -> EnvironmentSpec | None:
    """By the versions written in model file ``path``; None where the installed ones match."""
    saved = read_saved_versions(path)
    if not any(_is_skewed(name, version) for name, version in saved.versions.items()):
        return None
    return EnvironmentSpec(requirements_for(saved), f"read from {path.name}")


def spec_from_requirements(
    lines: tuple[str, ...], origin: str, path: Path, *, always: bool, python: str | None
) -> EnvironmentSpec | None:
    """By requirements ``lines``, and by model file ``path`` for libraries that they do not name.

    Unless ``always``, None where each framework that they pin is installed in that minor release, and the file
    requires no other either.
    """
    pins = framework_pins(lines)
    if not always and not any_version_skew(lines):
        return spec_from_file(path)
    named = {distribution_name(line) for line in lines}
    # MLflow logs the library's name beside the stand-in that was installed; the two hold the same files.
    doubled = {name for name, stand_in in _STAND_INS.items() if {name, stand_in} <= named}
    lines = tuple(line for line in lines if distribution_name(line) not in doubled)
    saved = read_saved_versions(path)
    unnamed = {
        name: version for name, version in saved.versions.items() if not {name, _STAND_INS.get(name, name)} & named
    }
    versions = pins | unnamed
    generated = requirements_for(SavedVersions(versions, saved.numpy_2, saved.boosters))
    added = [
        line
        for line in generated
        if not {distribution_name(line), _STAND_INS.get(distribution_name(line) or "")} & named
    ]
    return EnvironmentSpec((*lines, *added), origin, python)


def any_version_skew(lines: tuple[str, ...]) -> bool:
    """Whether requirements pin a framework to another minor release than is installed."""
    return any(_is_skewed(name, version) for name, version in framework_pins(lines).items())


def framework_pins(lines: tuple[str, ...]) -> dict[str, str]:
    """The frameworks' versions that requirements pin by `==`."""
    pins = {
        canonicalize_name(requirement.name): part.version.removesuffix(".*")
        for requirement in filter(None, map(_parse, lines))
        for part in requirement.specifier
        if part.operator == "=="
    }
    for name, stand_in in _STAND_INS.items():
        if stand_in in pins:
            pins.setdefault(canonicalize_name(name), pins[canonicalize_name(stand_in)])
    return {name: version for name, version in pins.items() if name in FRAMEWORKS}


def distribution_name(line: str) -> str | None:
    """The normalized name of the distribution in a requirement, None where ``line`` is not a requirement."""
    requirement = _parse(line)
    return None if requirement is None else canonicalize_name(requirement.name)


def _parse(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def requirements_for(saved: SavedVersions) -> tuple[str, ...]:
    """The libraries that saved a model, as pip requirements, with bounds to the libraries of their time. Boosters
    whose files hold no version, since they read older ones' files, are required as installed."""
    lines = [f"{_distribution(name, version)}=={version}" for name, version in saved.versions.items()]
    unversioned = sorted(saved.boosters - saved.versions.keys())
    lines += [
        name if (installed := _installed(name)) is None else f"{_distribution(name, installed)}=={installed}"
        for name in unversioned
    ]
    bounds = _contemporaries(saved)
    if saved.numpy_2:
        bounds = (*bounds, "numpy>=2")
    return (*lines, *bounds)


def _contemporaries(saved: SavedVersions) -> tuple[str, ...]:
    release = _release(saved.versions.get("scikit-learn", ""))[:2]
    if release:
        return next((bounds for last, bounds in _CONTEMPORARIES if release <= last), ())
    if _release(saved.versions.get("xgboost", "9")) >= _TAGGED_XGBOOST:
        return ()
    return (
        f"scikit-learn<{_BEFORE_TAGS[0]}.{_BEFORE_TAGS[1] + 1}",
        *next(bounds for last, bounds in _CONTEMPORARIES if last == _BEFORE_TAGS),
    )


def _distribution(name: str, version: str) -> str:
    return _STAND_INS[name] if _release(version) >= _FIRST_STAND_IN.get(name, (10**6,)) else name


def _is_skewed(name: str, version: str) -> bool:
    """Whether another minor release of library ``name`` is installed; false where none is: an extra is missing."""
    installed = _installed(name)
    return installed is not None and _release(installed)[:2] != _release(version)[:2]


def _installed(name: str) -> str | None:
    for distribution in (name, _STAND_INS.get(name, name)):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])
