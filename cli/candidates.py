"""The bundles of a model that a project holds, and which of them is its candidate for release.

A candidate is a bundle in `bundles/MODEL` that no environment pins and that was packaged after the one that the
environment pins. That is read from the folders, their provenance and serinus.lock: a record of candidates beside
them could disagree with all three, and the folder, with its model card, is what a review of a change sees.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from serinus.cli.console import notice
from serinus.cli.errors import CliError, WrongUsage
from serinus.infra.release import pinned_versions, read_pins
from serinus.lambda_handlers.contract.bundle import PROVENANCE, SHORT, Manifest, read_manifest, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.modelpack.bundle import BUNDLES


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle in the project's folder; ``packaged_at`` is None where its provenance does not say when."""

    folder: Path
    version: str
    packaged_at: datetime | None

    @property
    def short(self) -> str:
        return self.version[:SHORT]

    def __str__(self) -> str:
        when = f"{self.packaged_at:%Y-%m-%d %H:%M:%S}" if self.packaged_at else "at an unknown time"
        return f"{self.short} (packaged {when})"


@dataclass(frozen=True, slots=True)
class CandidateChoice:
    """The newest candidate, and the older ones, newest first."""

    newest: StoredBundle
    older: tuple[StoredBundle, ...]

    def name_older(self) -> None:
        """Print a notice that names the older ones, if there are any."""
        if self.older:
            notice(f"{self.newest} is the newest candidate; older ones: {', '.join(map(str, self.older))}")


def stored_bundles(project: Path, model: str) -> list[StoredBundle]:
    """The bundles of ``model`` in ``project``, newest first, those of unknown time last. Omits folders that are
    not named by their version: drafts, and bundles that were set aside as damaged."""
    stored = []
    for folder in sorted((project / BUNDLES / model).glob("*")):
        try:
            manifest = read_manifest(folder)
        except (ContractError, OSError):
            continue
        if manifest.name == model and manifest.short_version == folder.name:
            stored.append(StoredBundle(folder, manifest.version, packaged_at(folder)))
    return sorted(stored, key=_age, reverse=True)


def packaged_at(folder: Path) -> datetime | None:
    """When the bundle in ``folder`` was packaged, in UTC; None where its provenance does not say."""
    try:
        moment = datetime.fromisoformat(json.loads((folder / PROVENANCE).read_bytes())["time"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def find_candidates(project: Path, environment: str, model: str) -> list[StoredBundle]:
    """The candidates of ``model`` for ``environment``, newest first; raises `ReleaseError` where the lock is
    damaged."""
    return candidates_by_model(project, environment, [model])[model]


def candidates_by_model(project: Path, environment: str, models: Iterable[str]) -> dict[str, list[StoredBundle]]:
    """`find_candidates` of each of ``models``."""
    lock, pinned = read_pins(project), pinned_versions(project, environment)
    candidates = {}
    for model in models:
        pins = {pins[model].version for pins in lock.values() if model in pins}
        stored = stored_bundles(project, model)
        since = next((_age(bundle) for bundle in stored if bundle.version == pinned.get(model)), None)
        candidates[model] = [
            bundle for bundle in stored if bundle.version not in pins and (since is None or _age(bundle) > since)
        ]
    return candidates


def choose_candidate(project: Path, environment: str, model: str, option: str) -> CandidateChoice | None:
    """The newest candidate; None without one. Raises `CliError` with all of them where several are the newest;
    ``option`` is what names one."""
    candidates = find_candidates(project, environment, model)
    if not candidates:
        return None
    newest, *older = candidates
    if older and older[0].packaged_at == newest.packaged_at:
        listed = "\n".join(f"  {bundle}" for bundle in candidates)
        raise CliError(
            f"no candidate of {model} is newer than all others; choose one by {option}, such as "
            f"{option.replace('VERSION', newest.short)}:\n{listed}"
        )
    return CandidateChoice(newest, tuple(older))


def find_bundle(project: Path, model: str, candidate: str) -> Path:
    """The folder of the bundle that ``candidate`` names, by path or by the beginning of its version; `WrongUsage`
    where it names none or several, one that was changed, or one of another model."""
    folder = Path(candidate)
    if not candidate or not folder.is_dir():
        folder = find_version(project, model, candidate, "--candidate")
    manifest = _verified(folder, f"--candidate {candidate}")
    if manifest.name != model:
        raise WrongUsage(
            f"--candidate {candidate} holds a bundle of {manifest.name}; the endpoint serves {model}. "
            f"Name a bundle of {model}, or package one with `serinus package … --name {model}`."
        )
    return folder.resolve()


def find_version(project: Path, model: str, version: str, argument: str) -> Path:
    """The folder in `bundles/` whose version begins with ``version``; `WrongUsage`, which begins with the name of
    ``argument``, where there is none or several, or where the bundle was changed."""
    bundles = project / BUNDLES / model
    folders = sorted(path for path in bundles.glob("*") if path.is_dir())
    matches = [path for path in folders if version and path.name.startswith(version[:SHORT])]
    if len(matches) == 1 and _verified(matches[0], f"{argument} {version}").version.startswith(
        version[SHORT:], SHORT
    ):
        return matches[0]
    raise WrongUsage(
        f"{argument} {version!r} is neither a bundle's folder nor the start of exactly one version of {model}; "
        f"{BUNDLES}/{model} has {', '.join(path.name for path in folders) or 'none'}."
    )


def _verified(folder: Path, named: str) -> Manifest:
    try:
        return verify(folder)
    except ContractError as error:
        raise WrongUsage(f"{named}: {error}") from error


def _age(bundle: StoredBundle) -> datetime:
    return bundle.packaged_at or datetime.min.replace(tzinfo=UTC)
