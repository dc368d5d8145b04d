"""Changes of one pin in serinus.lock: to a bundle of the project, to another environment's, or to none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serinus.cli.candidates import choose_candidate, find_version, stored_bundles
from serinus.cli.errors import CliError, WrongUsage
from serinus.infra.errors import ReleaseError
from serinus.infra.names import SETTINGS
from serinus.infra.release import pinned_bundle
from serinus.infra.settings import Settings
from serinus.infra.settings.schema import NAME_ALLOWED
from serinus.lambda_handlers.contract.bundle import verify
from serinus.lambda_handlers.contract.lock import LOCK, NAME, Pin, read_lock
from serinus.modelpack.bundle import BUNDLES
from serinus.modelpack.locking import changing_pins


@dataclass(frozen=True, slots=True)
class PinChange:
    """The pin of ``model`` in ``environment``, to name the bundle in ``folder``; ``before`` is None where it had
    none."""

    model: str
    environment: str
    before: Pin | None
    after: Pin
    folder: Path

    @property
    def is_needed(self) -> bool:
        return self.before != self.after

    def folder_before(self, project: Path) -> Path | None:
        """The folder of the bundle that was pinned; None where it is not on this machine as it was packaged."""
        try:
            return pinned_bundle(project, self.environment, self.model) if self.before else None
        except ReleaseError:
            return None


def plan_pin(project: Path, environment: str, model: str, version: str | None) -> PinChange:
    """Pin the bundle whose version begins with ``version``, or the newest candidate; without one, keep what is
    pinned. Raises `CliError` where nothing is pinned either, or where several candidates are the newest, and
    `WrongUsage` for a version that is not in the project."""
    before = read_lock(project / LOCK).get(environment, {}).get(model)
    if version is not None:
        folder = find_version(project, model, version, "VERSION")
    else:
        choice = choose_candidate(project, environment, model, f"`serinus pin {model} VERSION`")
        if choice is None and before is not None:
            return PinChange(model, environment, before, before, project / before.folder)
        if choice is None:
            listed = list_unpinned(project, environment, model)
            raise CliError(f"nothing to pin for {environment}{listed}")
        choice.name_older()
        folder = choice.newest.folder
    after = Pin(verify(folder).version, folder.relative_to(project).as_posix())
    return PinChange(model, environment, before, after, folder)


def plan_move(project: Path, source: str, environment: str, model: str) -> PinChange:
    """Pin in ``environment`` what ``source`` pins. Raises `CliError` where ``source`` has no pin of ``model``, and
    `ReleaseError` where its bundle is missing or damaged."""
    lock = read_lock(project / LOCK)
    after = lock.get(source, {}).get(model)
    if after is None:
        pinned = ", ".join(sorted(lock.get(source, {}))) or "none"
        elsewhere = sorted(name for name, models in lock.items() if model in models)
        hint = f" Environments that pin it: {', '.join(elsewhere)}." if elsewhere else ""
        raise CliError(
            f"{LOCK} pins no bundle of model {model} for {source} (it pins: {pinned}), so there is nothing to pin "
            f"for {environment}.{hint}"
        )
    folder = pinned_bundle(project, source, model)
    return PinChange(model, environment, lock.get(environment, {}).get(model), after, folder)


def pin_to_remove(project: Path, environment: str, model: str) -> Pin:
    """What ``environment`` pins. Raises `CliError` where it has no pin of ``model``."""
    lock = read_lock(project / LOCK)
    if (pin := lock.get(environment, {}).get(model)) is not None:
        return pin
    pinned = ", ".join(sorted(lock.get(environment, {}))) or "none"
    raise CliError(f"{LOCK} pins no bundle of model {model} for {environment} (it pins: {pinned}).")


def write_change(project: Path, change: PinChange) -> None:
    """Write ``change`` into the lock; other pins stay. Raises `CliError` if the pin was changed since it was read,
    or the lock cannot be written."""
    with _changing(project, change.environment, change.model, change.before) as models:
        models[change.model] = change.after


def remove_pin(project: Path, environment: str, model: str, before: Pin) -> None:
    """Remove a pin from the lock; other pins stay. Raises `CliError` as `write_change` does."""
    with _changing(project, environment, model, before) as models:
        del models[model]


@contextmanager
def _changing(project: Path, environment: str, model: str, before: Pin | None) -> Iterator[dict[str, Pin]]:
    """The environment's pins, written when the block succeeds."""
    try:
        with changing_pins(project) as lock:
            models = lock.setdefault(environment, {})
            if models.get(model) != before:
                raise CliError(
                    f"another command changed the pin of {model} for {environment} meanwhile. "
                    "Nothing was written; run the command again."
                )
            yield models
            if not models:
                del lock[environment]
    except OSError as error:
        raise CliError(f"{project / LOCK} cannot be written ({error.strerror}). Nothing was changed.") from error


def require_model(project: Path, settings: Settings, model: str) -> None:
    """`WrongUsage` where the project has no bundle of ``model``."""
    if stored_bundles(project, model) or any(model in pins for pins in read_lock(project / LOCK).values()):
        return
    serves = next((item.model for item in settings.endpoints if item.name == model), model)
    if serves != model:
        raise WrongUsage(f"endpoint {model} serves model {serves}, and pins are of models: serinus pin {serves}")
    if not NAME.fullmatch(model):
        raise WrongUsage(f"MODEL {model!r} is not the name of a model: {NAME_ALLOWED}.")
    models = sorted(path.name for path in (project / BUNDLES).glob("*") if path.is_dir())
    raise WrongUsage(
        f"{BUNDLES}/ has no bundle of model {model}; it has {', '.join(models) or 'none'}. `serinus package "
        f"SOURCE --name {model} --candidate` makes one."
    )


def endpoints_of(settings: Settings, model: str) -> list[str]:
    """The environment's endpoints that serve ``model``."""
    return [endpoint.name for endpoint in settings.endpoints if endpoint.model == model]


def list_unpinned(project: Path, environment: str, model: str) -> str:
    """The end of a sentence: that no bundle is a candidate, how to make one, and the bundles that ``environment``
    does not pin."""
    pinned = read_lock(project / LOCK).get(environment, {}).get(model)
    stored = [item for item in stored_bundles(project, model) if pinned is None or item.version != pinned.version]
    listed = "".join(f"\n  {bundle}" for bundle in stored)
    another = f"; `serinus pin {model} VERSION --env {environment}` pins another one:{listed}" if stored else ""
    return (
        f", and no bundle of {model} is newer and pinned nowhere. `serinus package SOURCE --name {model} "
        f"--candidate` makes one{another}"
    )


def describe_settings_step(settings: Settings, model: str) -> str:
    """What is left to do in serinus.toml where no endpoint of the environment serves ``model``; else empty."""
    if endpoints_of(settings, model):
        return ""
    return f"no endpoint of {SETTINGS} serves {model} in {settings.environment}: nothing deploys this pin yet"
