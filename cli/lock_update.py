"""serinus.lock after a rollback: it pins what answers again, so that the next deploy agrees."""

from dataclasses import dataclass
from pathlib import Path

from serinus.cli.errors import CliError
from serinus.cli.project import SETTINGS
from serinus.cli.rollback_plan import Served, WayBack
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT
from serinus.infra.settings import Settings
from serinus.lambda_handlers.contract.bundle import verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock, render_lock


@dataclass(frozen=True, slots=True)
class MovedLock:
    """The pin of ``environment`` as it is now."""

    environment: str
    pin: Pin


def move_lock(project: Path, environment: str, good: Served) -> MovedLock:
    """Pin bundle ``good`` for ``environment``; `CliError` where the project lacks it, or the lock is broken."""
    path = project / LOCK
    folder = f"bundles/{good.model}/{good.short}"
    try:
        lock = {name: dict(models) for name, models in read_lock(path).items()}
        pin = Pin(verify(project / folder).version, folder)
    except ContractError as error:
        raise CliError(str(error)) from error
    # Offline, `local` deploys what `dev` pins unless it has a pin of its own.
    unpinned_local = environment == LOCAL_ENVIRONMENT and good.model not in lock.get(environment, {})
    pinned = DEFAULT_ENVIRONMENT if unpinned_local else environment
    lock.setdefault(pinned, {})[good.model] = pin
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(render_lock(lock), encoding="utf-8")
    beside.replace(path)
    return MovedLock(pinned, pin)


def disagreement(settings: Settings, endpoint: str, way: WayBack) -> str | None:
    """Why the next deploy would release again what was left, although the lock pins what is good; None if it would
    not."""
    good = way.good
    named = next((one.model for one in settings.endpoints if one.name == endpoint), good.model)
    if named != good.model:
        return f"{SETTINGS} gives {endpoint} the model {named}, and {good.model} answers again"
    if way.bad == good:
        return "the same bundle was released with another setting, code or library"
    return None


def sharing(settings: Settings, endpoint: str, model: str) -> list[str]:
    """The environment's other endpoints with ``model``, which follow the same pin."""
    return [one.name for one in settings.endpoints if one.model == model and one.name != endpoint]
