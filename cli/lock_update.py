"""Pins in serinus.lock the bundle that serves after a rollback, so that the next deploy keeps it."""

from dataclasses import dataclass
from pathlib import Path

from serinus.cli.errors import CliError
from serinus.cli.rollback_plan import RollbackPlan, ServedBundle
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT, SETTINGS
from serinus.infra.settings import Settings
from serinus.lambda_handlers.contract.bundle import verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, Pin
from serinus.modelpack.locking import changing_pins


@dataclass(frozen=True, slots=True)
class UpdatedPin:
    """The pin of ``environment`` as it is now."""

    environment: str
    pin: Pin


def repin(project: Path, environment: str, bundle: ServedBundle) -> UpdatedPin:
    """Pin ``bundle`` for ``environment``; raises `CliError` if the project lacks it, or the lock cannot be read or
    written."""
    folder = f"bundles/{bundle.model}/{bundle.short}"
    try:
        pin = Pin(verify(project / folder).version, folder)
        with changing_pins(project) as lock:
            # Offline, `local` deploys what `dev` pins unless it has a pin of its own.
            unpinned_local = environment == LOCAL_ENVIRONMENT and bundle.model not in lock.get(environment, {})
            pinned = DEFAULT_ENVIRONMENT if unpinned_local else environment
            lock.setdefault(pinned, {})[bundle.model] = pin
    except ContractError as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"{project / LOCK} cannot be written ({error.strerror}).") from error
    return UpdatedPin(pinned, pin)


def next_deploy_conflict(settings: Settings, endpoint: str, plan: RollbackPlan) -> str | None:
    """Why the next deploy would release the bad version again although the lock pins the good bundle; None if it
    would not."""
    to_bundle = plan.to_bundle
    models = {item.name: item.model for item in settings.endpoints}
    configured = models.get(endpoint, to_bundle.model)
    if configured != to_bundle.model:
        return f"{SETTINGS} names model {configured} for {endpoint}, while {to_bundle.model} now serves"
    if plan.from_bundle == to_bundle:
        return (
            "both versions serve the same bundle, so the bad release came from a changed setting, code or library"
        )
    return None


def endpoints_sharing_pin(settings: Settings, endpoint: str, model: str) -> list[str]:
    """The environment's other endpoints with ``model``, which share its pin."""
    return [other.name for other in settings.endpoints if other.model == model and other.name != endpoint]
