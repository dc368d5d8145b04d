"""A copy of the project to rehearse in, so that lock, settings and builds of the real one stay as they are.

It holds one endpoint in one environment. What differs from the project is written into the copy's serinus.toml
and nowhere else: limits that the traffic would run into, a domain, and a variable that causes a new release.
"""

import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from serinus.cli import cdk
from serinus.cli.candidates import find_bundle
from serinus.cli.endpoints import find_configured
from serinus.cli.errors import CliError
from serinus.cli.rehearse.bad_graph import spoil
from serinus.infra.names import SETTINGS
from serinus.infra.release import pinned_bundle
from serinus.infra.settings import Endpoint, Settings, load_settings
from serinus.lambda_handlers.contract.bundle import Manifest, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock
from serinus.modelpack.temporary_folder import TemporaryFolder

#: Variable of the function by which two releases of one bundle differ: Lambda publishes no version without a
#: change.
VARIABLE_RELEASE = "REHEARSED_RELEASE"
#: The release that is live first.
STABLE = "stable"
_SHARED = ("bundles", ".serinus")
#: A release is rehearsed for minutes, and the monitor looks once an hour.
WITHOUT_MONITOR: Mapping[str, Any] = {"monitor": {"enabled": False}}


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """A release beside the stable one: ``candidate`` is a bundle's folder or the beginning of its version, None
    for the stable bundle again; ``bad_graph`` is how its graph is spoiled, if at all."""

    candidate: str | None = None
    bad_graph: str | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceRelease:
    """``project`` is a folder of its own that deploys bundle ``manifest``."""

    project: Path
    manifest: Manifest

    @property
    def bundle(self) -> Path:
        return self.project / _bundle_path(self.manifest)


@dataclass(frozen=True, slots=True)
class Workspace:
    """The copy; ``releases`` by name, `STABLE` first."""

    folder: Path
    settings: Settings
    endpoint: Endpoint
    releases: dict[str, WorkspaceRelease]

    @property
    def environment(self) -> str:
        return self.settings.environment

    @property
    def stable(self) -> WorkspaceRelease:
        return self.releases[STABLE]


@contextmanager
def create_workspace(
    project: Path,
    environment: str,
    endpoint: str,
    *,
    candidates: Mapping[str, CandidateSpec],
    rate: float,
    overrides: Mapping[str, Any] = WITHOUT_MONITOR,
    stable: Path | None = None,
) -> Iterator[Workspace]:
    """A copy for rehearsing the releases ``candidates``, by name, of ``endpoint``, removed afterwards. ``stable``
    is the folder of the bundle that is live first; None for the pinned one.

    ``rate`` (requests a second) must fit into the API key's limits. ``overrides`` are laid over the endpoint's
    settings.
    """
    settings = load_settings(project / SETTINGS, environment)
    configured = find_configured(settings, endpoint)
    live = stable or pinned_bundle(project, environment, configured.model)
    sources = {
        name: live if candidate.candidate is None else find_bundle(project, configured.model, candidate.candidate)
        for name, candidate in candidates.items()
    }
    cdk.ensure(project)
    with TemporaryFolder("-rehearsal") as folder:
        shutil.copy2(project / "package.json", folder)
        (folder / "node_modules").symlink_to((project / "node_modules").resolve())
        for shared in _SHARED:
            (folder / shared).mkdir()
        manifests = {STABLE: _copy_bundle(live, folder)}
        for release, source in sources.items():
            kind = candidates[release].bad_graph
            manifests[release] = _copy_spoiled(source, folder, kind) if kind else _copy_bundle(source, folder)
        yield Workspace(
            folder,
            settings,
            configured,
            {
                release: _project(
                    project, folder / release, configured, environment, rate, manifest, number, overrides
                )
                for number, (release, manifest) in enumerate(manifests.items(), start=1)
            },
        )


def _verified(folder: Path) -> Manifest:
    try:
        return verify(folder)
    except ContractError as error:
        raise CliError(str(error)) from error


def _bundle_path(manifest: Manifest) -> str:
    return f"bundles/{manifest.name}/{manifest.short_version}"


def _copy_bundle(bundle: Path, folder: Path) -> Manifest:
    manifest = _verified(bundle)
    target = folder / _bundle_path(manifest)
    if not target.exists():
        shutil.copytree(bundle, target)
    return manifest


def _copy_spoiled(good: Path, folder: Path, kind: str) -> Manifest:
    spoiled = folder / "spoiled"
    manifest = spoil(good, spoiled, kind)
    target = folder / _bundle_path(manifest)
    target.parent.mkdir(parents=True, exist_ok=True)
    spoiled.rename(target)
    return manifest


def _project(
    source: Path,
    folder: Path,
    endpoint: Endpoint,
    environment: str,
    rate: float,
    manifest: Manifest,
    number: int,
    changed: Mapping[str, Any],
) -> WorkspaceRelease:
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
    # The other environments that it lists are not in the copy.
    document["endpoint"][endpoint.name].pop("environments", None)
    _drop_domain(document, environment, endpoint.name)
    _drop_operations(document, environment)
    room = math.ceil(2 * rate)
    overrides = {
        "rate_limit_per_s": max(endpoint.settings.rate_limit_per_s, room),
        "burst_limit": max(endpoint.settings.burst_limit, room),
        "quota_requests": 0,
        "variables": {VARIABLE_RELEASE: str(number)},
        # All traffic comes from one address.
        **({"waf": {"count_only": True}} if endpoint.settings.waf.enabled else {}),
        **changed,
    }
    _override(document, environment, endpoint.name, overrides)
    (folder / SETTINGS).write_text(tomlkit.dumps(document), encoding="utf-8")
    lock = {environment: {endpoint.model: Pin(manifest.version, _bundle_path(manifest))}}
    (folder / LOCK).write_text(render_lock(lock), encoding="utf-8")
    return WorkspaceRelease(folder, manifest)


def _keep_only(table: Any, key: str, name: str) -> None:
    for other in [other for other in table.get(key, {}) if other != name]:
        del table[key][other]


def _drop_domain(document: Any, environment: str, endpoint: str) -> None:
    """A rehearsal is reached by the cloud's own address, and has no Route 53 to write a name into."""
    for scope in (document, document.get("env", {}).get(environment, {})):
        for table in (scope.get("defaults", {}), scope.get("endpoint", {}).get(endpoint, {})):
            table.pop("domain", None)


def _drop_operations(document: Any, environment: str) -> None:
    """A rehearsal notifies nobody."""
    for scope in (document, document.get("env", {}).get(environment, {})):
        scope.pop("operations", None)


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
