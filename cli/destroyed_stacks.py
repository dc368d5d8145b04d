"""Which stacks `serinus destroy` deletes, and which of them the CDK app has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from serinus.cli.endpoints import describe_stack, select_endpoints
from serinus.cli.errors import CliError
from serinus.cli.orphaned_stacks import find_orphans
from serinus.cli.target import CloudTarget
from serinus.infra.names import SETTINGS
from serinus.infra.release import split_by_pin
from serinus.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class ChosenStacks:
    """Stack by endpoint: those ``in_app``, which the CDK CLI deletes, and others ``without_app``."""

    in_app: Mapping[str, str]
    without_app: Mapping[str, str]

    @property
    def by_endpoint(self) -> dict[str, str]:
        return {**self.in_app, **self.without_app}


def choose_stacks(
    project: Path, settings: Settings, target: CloudTarget, requested: Sequence[str]
) -> ChosenStacks:
    """The stacks of the endpoints ``requested``, or of all that the settings have in the environment; those that
    they no longer have only by name. Raises `CliError` for a name that is neither."""
    by_name = {endpoint.name: endpoint.stack_name for endpoint in settings.endpoints}
    unknown = [name for name in requested if name not in by_name]
    orphans = {}
    if unknown or not by_name:
        orphans = {item.endpoint: item.stack for item in find_orphans(target, settings)}
    known = [name for name in requested if name not in orphans]
    try:
        names = select_endpoints(settings, known) if known or not requested else []
    except CliError as error:
        if not orphans:
            raise
        raise CliError(
            f"{error} {target.name} has stacks of endpoints that {SETTINGS} no longer has in "
            f"{settings.environment}: {', '.join(orphans)}. Name them to delete them."
        ) from error
    # An endpoint without a pin is not in the app, and need not have been deployed.
    app = {endpoint.name for endpoint in split_by_pin(project, settings)[0].endpoints}
    left_out = [name for name in names if name not in app and (requested or _is_deployed(target, by_name[name]))]
    return ChosenStacks(
        {name: by_name[name] for name in names if name in app},
        {name: by_name[name] for name in left_out} | {name: orphans[name] for name in unknown},
    )


def _is_deployed(target: CloudTarget, stack: str) -> bool:
    return describe_stack(target, stack) is not None
