"""A copy of the project to rehearse in, so that lock, settings and builds of the real one stay as they are.

It holds one endpoint in one environment. What differs from the project is written into the copy's serinus.toml
and nowhere else: limits of the API key that the traffic would run into, and a variable that makes a new release.
"""

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomlkit

from cli import cdk
from cli.errors import CliError
from cli.project import SETTINGS
from cli.rehearse.bad_graph import spoil
from infra.release import pinned_bundle
from infra.settings import Endpoint, Settings, load_settings
from lambda_handlers.contract.bundle import SHORT, Manifest, verify
from lambda_handlers.contract.errors import ContractError
from lambda_handlers.contract.lock import LOCK, Pin, render_lock

#: Variable of the function that tells two releases of one bundle apart: a version is only published for a change.
VARIABLE_RELEASE = "REHEARSED_RELEASE"
_COPIED = ("cdk.json", "package.json", "package-lock.json")


@dataclass(frozen=True, slots=True)
class Scratch:
    """The copy: ``stable`` is the bundle that is live first, ``candidate`` the one that is then released."""

    folder: Path
    settings: Settings
    endpoint: Endpoint
    stable: Manifest
    candidate: Manifest

    @property
    def environment(self) -> str:
        return self.settings.environment

    def bundle(self, manifest: Manifest) -> Path:
        """The folder of a bundle in the copy."""
        return self.folder / _place(manifest)

    def prepare_release(self, manifest: Manifest, release: int) -> None:
        """Pin ``manifest`` and mark the release, so that the next deploy publishes a version of its own."""
        lock = {self.environment: {self.endpoint.model: Pin(manifest.version, _place(manifest))}}
        (self.folder / LOCK).write_text(render_lock(lock), encoding="utf-8")
        variables = {"variables": {VARIABLE_RELEASE: str(release)}}
        _override(self.folder / SETTINGS, self.environment, self.endpoint.name, variables)


@contextmanager
def scratch_copy(
    project: Path, environment: str, endpoint: str, *, candidate: str | None, bad_graph: str | None, rate: float
) -> Iterator[Scratch]:
    """A copy for rehearsing ``endpoint``, removed afterwards.

    ``candidate`` is a bundle's folder or the beginning of its version; None is the locked bundle once more, and
    ``bad_graph`` a spoiled copy of it. ``rate`` (requests a second) must fit into the API key's limits.
    """
    settings = load_settings(project / SETTINGS, environment)
    chosen = next((one for one in settings.endpoints if one.name == endpoint), None)
    if chosen is None:
        listed = ", ".join(one.name for one in settings.endpoints) or "none yet"
        raise CliError(f"no endpoint {endpoint!r} in {SETTINGS} for {environment!r}; it has {listed}.")
    stable = pinned_bundle(project, environment, chosen.model)
    wanted = stable if candidate is None else find_bundle(project, chosen.model, candidate)
    cdk.ensure(project)
    with TemporaryDirectory(prefix="serinus-rehearsal-") as name:
        folder = Path(name)
        for file in _COPIED:
            if (project / file).exists():
                shutil.copy2(project / file, folder / file)
        (folder / "node_modules").symlink_to((project / "node_modules").resolve())
        _write_settings(project / SETTINGS, folder / SETTINGS, chosen, environment, rate)
        yield Scratch(
            folder,
            load_settings(folder / SETTINGS, environment),
            chosen,
            stable=_copy_bundle(stable, folder),
            candidate=_spoiled(wanted, folder, bad_graph) if bad_graph else _copy_bundle(wanted, folder),
        )


def find_bundle(project: Path, model: str, wanted: str) -> Path:
    """The folder of the bundle that ``wanted`` names, by path or by the beginning of its version."""
    if (folder := Path(wanted)).is_dir():
        found = _verified(folder)
        if found.name != model:
            raise CliError(f"{wanted} holds a bundle of {found.name}; the endpoint serves {model}.")
        return folder.resolve()
    matches = sorted((project / "bundles" / model).glob(f"{wanted[:SHORT]}*"))
    if len(matches) != 1:
        listed = ", ".join(sorted(path.name for path in (project / "bundles" / model).glob("*"))) or "none"
        raise CliError(
            f"{wanted!r} is neither a bundle's folder nor the beginning of one version of {model}; "
            f"bundles/{model} has {listed}."
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


def _write_settings(source: Path, target: Path, endpoint: Endpoint, environment: str, rate: float) -> None:
    """The project's settings with this one endpoint and environment, and limits that the traffic fits into."""
    document = tomlkit.parse(source.read_text(encoding="utf-8"))
    _keep_only(document, "endpoint", endpoint.name)
    _keep_only(document, "env", environment)
    if environment in document.get("env", {}):
        _keep_only(document["env"][environment], "endpoint", endpoint.name)
    target.write_text(tomlkit.dumps(document), encoding="utf-8")
    room = math.ceil(2 * rate)
    limits = {
        "rate_limit_per_s": max(endpoint.settings.rate_limit_per_s, room),
        "burst_limit": max(endpoint.settings.burst_limit, room),
        "quota_requests": 0,
    }
    _override(target, environment, endpoint.name, limits)


def _keep_only(table: Any, key: str, name: str) -> None:
    for other in [other for other in table.get(key, {}) if other != name]:
        del table[key][other]


def _override(path: Path, environment: str, endpoint: str, settings: dict[str, Any]) -> None:
    """Lay ``settings`` over the endpoint's in the environment; tables are joined."""
    document: Any = tomlkit.parse(path.read_text(encoding="utf-8"))
    table = document
    for key in ("env", environment, "endpoint", endpoint):
        table = table.setdefault(key, tomlkit.table())
    for key, value in settings.items():
        if isinstance(value, dict):
            table.setdefault(key, tomlkit.table()).update(value)
        else:
            table[key] = value
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
