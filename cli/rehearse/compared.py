"""Chooses the two bundles that a rehearsal compares: the candidate, and the one that it would replace."""

from dataclasses import dataclass
from pathlib import Path

from serinus.cli.candidates import choose_candidate, find_bundle
from serinus.cli.console import notice
from serinus.cli.endpoints import describe_stack, find_configured
from serinus.cli.errors import CliError
from serinus.cli.rehearse.against import Against
from serinus.cli.release_reader import RolloutReader
from serinus.cli.rollback_plan import ServedBundle, read_bundle
from serinus.cli.target import CloudTarget
from serinus.infra.names import SETTINGS
from serinus.infra.release import pinned_bundle, pinned_version
from serinus.infra.settings import Settings
from serinus.lambda_handlers.contract.bundle import SHORT, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK
from serinus.modelpack.bundle import BUNDLES


@dataclass(frozen=True, slots=True)
class ComparedBundles:
    """The folders of the ``stable`` bundle, which serves first, and of the ``candidate``, None for the pinned one
    once more."""

    stable: Path
    candidate: Path | None


def compare_with_pinned(
    project: Path, settings: Settings, endpoint: str, candidate: str | None
) -> ComparedBundles:
    """``candidate`` (a folder or a version; None: the newest candidate) and the bundle that the environment of
    ``settings`` pins. Raises `CliError`, and `ReleaseError` where nothing is pinned."""
    model = find_configured(settings, endpoint).model
    _require_pin(project, settings.environment, model)
    stable = pinned_bundle(project, settings.environment, model)
    chosen = _candidate(project, settings.environment, model, candidate)
    shown = f"candidate {_short(chosen)}" if chosen else "the pinned bundle again, as there is no newer candidate,"
    notice(f"rehearsing {shown} against {_short(stable)}, which {LOCK} pins for {settings.environment}")
    return ComparedBundles(stable, chosen)


def compare_with_live(
    project: Path, settings: Settings, endpoint: str, candidate: str | None, target: CloudTarget, stack: str
) -> ComparedBundles:
    """``candidate`` (a folder or a version; None: the newest candidate, or else the pinned bundle) and the bundle
    that the alias of ``stack`` at ``target`` serves. Raises `CliError`, also where that bundle is not in the
    project."""
    model = find_configured(settings, endpoint).model
    served = served_bundle(target, stack)
    if served.model != model:
        raise CliError(
            f"{stack} serves model {served.model}, and {SETTINGS} names model {model} for {endpoint}; a release "
            f"that changes the model cannot be rehearsed against it. Use --against {Against.PINNED}."
        )
    stable = project / BUNDLES / served.model / served.short
    try:
        verify(stable)
    except ContractError as error:
        raise CliError(
            f"{stack} at {target.name} serves {served}, and the project does not hold that bundle as it was "
            f"packaged: {error} Restore {BUNDLES}/{served.model}/{served.short} from version control, or use "
            f"--against {Against.PINNED}."
        ) from error
    chosen = _candidate(project, settings.environment, model, candidate)
    if chosen is None:
        _require_pin(project, settings.environment, model)
        chosen = pinned_bundle(project, settings.environment, model)
    notice(f"rehearsing {_short(chosen)} against {served.short}, which {stack} at {target.name} serves")
    return ComparedBundles(stable, chosen)


def served_bundle(target: CloudTarget, stack: str) -> ServedBundle:
    """The bundle of the version that answers the requests of ``stack``; during a release, of the stable one.
    Raises `CliError` if nothing is deployed, or the version does not name its bundle."""
    if describe_stack(target, stack) is None:
        raise CliError(
            f"{target.name} has no stack {stack}, so there is no live bundle to compare with. Deploy first, or "
            f"use --against {Against.PINNED}."
        )
    reader = RolloutReader(target, stack)
    alias = reader.alias()
    if alias.canary is not None:
        notice(f"a release of {stack} is under way: version {alias.version}, the stable one, is compared with")
    served = read_bundle(description := reader.description(alias.version))
    if served is None:
        raise CliError(
            f"version {alias.version} of {stack} does not name the bundle that it serves (description "
            f"{description!r}). Use --against {Against.PINNED}."
        )
    return served


def _candidate(project: Path, environment: str, model: str, candidate: str | None) -> Path | None:
    if candidate is not None:
        return find_bundle(project, model, candidate)
    choice = choose_candidate(project, environment, model, "--candidate VERSION")
    if choice is None:
        return None
    choice.name_older()
    return find_bundle(project, model, str(choice.newest.folder))


def _require_pin(project: Path, environment: str, model: str) -> None:
    """`CliError` where nothing is pinned although there are bundles to pin."""
    if pinned_version(project, environment, model) is not None:
        return
    choice = choose_candidate(project, environment, model, f"`serinus pin {model} VERSION --env {environment}`")
    if choice is not None:
        raise CliError(
            f"{LOCK} pins no bundle of model {model} for {environment}, so there is none to compare "
            f"{choice.newest.short} with. `serinus pin {model} --env {environment}` pins it."
        )


def _short(folder: Path) -> str:
    return verify(folder).version[:SHORT]
