"""A copy of the project to rehearse in, so that lock, settings and builds of the real one stay as they are.

It holds one endpoint in one environment. What differs from the project is written into the copy's serinus.toml
and nowhere else: limits that the traffic would run into, a domain, and a variable that makes a new release.
"""

import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomlkit

from serinus.cli import cdk
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.project import SETTINGS
from serinus.cli.rehearse.bad_graph import spoil
from serinus.infra.release import pinned_bundle
from serinus.infra.settings import Endpoint, Settings, load_settings
from serinus.lambda_handlers.contract.bundle import SHORT, Manifest, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock

#: Variable of the function that tells two releases of one bundle apart: a version is only published for a change.
VARIABLE_RELEASE = "REHEARSED_RELEASE"
#: The release that is live first.
STABLE = "stable"
_SHARED = ("bundles", ".serinus")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release beside the stable one: ``candidate`` is a bundle's folder or the beginning of its version, None
    the locked bundle once more; ``bad_graph`` says how its graph is spoiled, if it is."""

    candidate: str | None = None
    bad_graph: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """``project`` is a folder of its own that deploys bundle ``manifest``."""

    project: Path
    manifest: Manifest

    @property
    def bundle(self) -> Path:
        return self.project / _place(self.manifest)


@dataclass(frozen=True, slots=True)
class Scratch:
    """The copy; ``releases`` by name, `STABLE` first."""

    folder: Path
    settings: Settings
    endpoint: Endpoint
    releases: dict[str, Release]

    @property
    def environment(self) -> str:
        return self.settings.environment

    @property
    def stable(self) -> Release:
        return self.releases[STABLE]


@contextmanager
def scratch_copy(
    project: Path, environment: str, endpoint: str, *, wanted: Mapping[str, Wanted], rate: float
) -> Iterator[Scratch]:
    """A copy for rehearsing the releases ``wanted``, by name, of ``endpoint``, removed afterwards.

    ``rate`` (requests a second) must fit into the API key's limits.
    """
    settings = load_settings(project / SETTINGS, environment)
    chosen = next((one for one in settings.endpoints if one.name == endpoint), None)
    if chosen is None:
        listed = ", ".join(one.name for one in settings.endpoints) or "none yet"
        raise CliError(f"no endpoint {endpoint!r} in {SETTINGS} for {environment!r}; it has {listed}.")
    locked = pinned_bundle(project, environment, chosen.model)
    sources = {
        name: locked if one.candidate is None else find_bundle(project, chosen.model, one.candidate)
        for name, one in wanted.items()
    }
    cdk.ensure(project)
    with TemporaryDirectory(prefix="serinus-rehearsal-") as name:
        folder = Path(name)
        shutil.copy2(project / "package.json", folder)
        (folder / "node_modules").symlink_to((project / "node_modules").resolve())
        for shared in _SHARED:
            (folder / shared).mkdir()
        manifests = {STABLE: _copy_bundle(locked, folder)}
        for release, source in sources.items():
            kind = wanted[release].bad_graph
            manifests[release] = _spoiled(source, folder, kind) if kind else _copy_bundle(source, folder)
        yield Scratch(
            folder,
            settings,
            chosen,
            {
                release: _project(project, folder / release, chosen, environment, rate, manifest, number)
                for number, (release, manifest) in enumerate(manifests.items(), start=1)
            },
        )


def find_bundle(project: Path, model: str, wanted: str) -> Path:
    """The folder of the bundle that ``wanted`` names, by path or by the beginning of its version; `WrongUsage`
    where it names none or several, one that was changed, or one of another model."""
    folder = Path(wanted)
    if not wanted or not folder.is_dir():
        folder = _by_version(project / "bundles" / model, wanted)
    try:
        found = verify(folder)
    except ContractError as error:
        raise WrongUsage(f"--candidate {wanted}: {error}") from error
    if found.name != model:
        raise WrongUsage(
            f"--candidate {wanted} holds a bundle of {found.name}; the endpoint serves {model}. "
            f"`serinus package … --name {model}` makes one."
        )
    return folder.resolve()


def _by_version(bundles: Path, wanted: str) -> Path:
    known = sorted(path for path in bundles.glob("*") if path.is_dir())
    matches = [path for path in known if wanted and path.name.startswith(wanted[:SHORT])]
    if len(matches) != 1:
        raise WrongUsage(
            f"--candidate {wanted!r} is neither a bundle's folder nor the beginning of one version of "
            f"{bundles.name}; bundles/{bundles.name} has {', '.join(path.name for path in known) or 'none'}."
        )
    return matches[0]


def _verified(folder: Path) -> Manifest:
    try:
        return verify(folder)
    except ContractError as error:
        raise CliError(str(error)) from error


def _place(manifest: Manifest) -> str:
    return f"bundles/{manifest.name}/{manifest.short_version}"


def _copy_bundle(bundle: Path, folder: Path) -> Manifest:
    manifest = _verified(bundle)
    target = folder / _place(manifest)
    if not target.exists():
        shutil.copytree(bundle, target)
    return manifest


def _spoiled(good: Path, folder: Path, kind: str) -> Manifest:
    spoiled = folder / "spoiled"
    manifest = spoil(good, spoiled, kind)
    target = folder / _place(manifest)
    target.parent.mkdir(parents=True, exist_ok=True)
    spoiled.rename(target)
    return manifest


def _project(
    source: Path, folder: Path, endpoint: Endpoint, environment: str, rate: float, manifest: Manifest, number: int
) -> Release:
    """Release ``number`` as a project in ``folder``: the settings of the one in ``source`` for this endpoint and
    environment, with limits that the traffic fits into, and a lock that pins ``manifest``."""
    folder.mkdir()
    for shared in _SHARED:
        (folder / shared).symlink_to(Path("..") / shared)
    if (source / "cdk.json").exists():
        shutil.copy2(source / "cdk.json", folder)
    document = tomlkit.parse((source / SETTINGS).read_text(encoding="utf-8"))
    _keep_only(document, "endpoint", endpoint.name)
    _keep_only(document, "env", environment)
    if environment in document.get("env", {}):
        _keep_only(document["env"][environment], "endpoint", endpoint.name)
    _drop_domain(document, environment, endpoint.name)
    room = math.ceil(2 * rate)
    overrides = {
        "rate_limit_per_s": max(endpoint.settings.rate_limit_per_s, room),
        "burst_limit": max(endpoint.settings.burst_limit, room),
        "quota_requests": 0,
        "variables": {VARIABLE_RELEASE: str(number)},
        # All traffic comes from one address.
        **({"waf": {"count_only": True}} if endpoint.settings.waf.wanted else {}),
    }
    _override(document, environment, endpoint.name, overrides)
    (folder / SETTINGS).write_text(tomlkit.dumps(document), encoding="utf-8")
    lock = {environment: {endpoint.model: Pin(manifest.version, _place(manifest))}}
    (folder / LOCK).write_text(render_lock(lock), encoding="utf-8")
    return Release(folder, manifest)


def _keep_only(table: Any, key: str, name: str) -> None:
    for other in [other for other in table.get(key, {}) if other != name]:
        del table[key][other]


def _drop_domain(document: Any, environment: str, endpoint: str) -> None:
    """A rehearsal is reached by the cloud's own address, and has no Route 53 to write a name into."""
    for place in (document, document.get("env", {}).get(environment, {})):
        for table in (place.get("defaults", {}), place.get("endpoint", {}).get(endpoint, {})):
            table.pop("domain", None)


def _override(document: Any, environment: str, endpoint: str, settings: Mapping[str, Any]) -> None:
    """Lay ``settings`` over the endpoint's in the environment; tables are joined."""
    table = document
    for key in ("env", environment, "endpoint", endpoint):
        table = table.setdefault(key, tomlkit.table())
    for key, value in settings.items():
        if isinstance(value, dict):
            table.setdefault(key, tomlkit.table()).update(value)
        else:
            table[key] = value
