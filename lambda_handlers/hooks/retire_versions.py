"""After a release that ended well: old versions are deleted, but for those that a rollback could need.

Kept are the newest ones, whatever an alias names, and both versions of the deployment that has just ended: should
CloudFormation fail later in the same update, it puts the alias back to the earlier one.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from lambda_handlers.contract import release
from lambda_handlers.hooks import journal
from lambda_handlers.hooks.clients import Surroundings, surroundings
from lambda_handlers.hooks.deployment import read_deployment
from lambda_handlers.hooks.errors import BadSetting
from lambda_handlers.hooks.settings import Settings, read_settings

#: The live version and the one before it, whatever the setting says.
FEWEST = 2


class Versions(Protocol):
    """boto3's Lambda client, as far as it is used here."""

    def list_versions_by_function(self, **parameters: Any) -> dict[str, Any]: ...
    def list_aliases(self, **parameters: Any) -> dict[str, Any]: ...
    def delete_function(self, **parameters: Any) -> Any: ...


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Delete what the deployment in EventBridge's event has made superfluous; returns the deleted versions."""
    return retire(event, surroundings())


def retire(event: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """As `handler`, in given surroundings."""
    settings = read_settings(around.environ)
    functions: Any = around.clients.functions
    deployment = read_deployment(around.clients.codedeploy, event["detail"]["deploymentId"], settings)
    needed = {deployment.stable, deployment.canary, *_named_by_aliases(functions, settings)}
    superfluous = [
        version
        for version in published(functions, settings.function)[_keep(around.environ) :]
        if version not in needed
    ]
    for version in superfluous:
        functions.delete_function(FunctionName=settings.function, Qualifier=version)
    journal.write("old versions deleted", function=settings.function, deleted=superfluous, needed=sorted(needed))
    return {"deleted": superfluous}


def published(functions: Versions, function: str) -> list[str]:
    """The published versions of ``function``, the newest first."""
    pages = _pages(functions.list_versions_by_function, "Versions", FunctionName=function)
    numbers = [item["Version"] for item in pages if item["Version"] != "$LATEST"]
    return sorted(numbers, key=int, reverse=True)


def _named_by_aliases(functions: Versions, settings: Settings) -> Iterator[str]:
    """Versions that any alias sends traffic to."""
    for alias in _pages(functions.list_aliases, "Aliases", FunctionName=settings.function):
        yield alias["FunctionVersion"]
        yield from (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}


def _pages(operation: Any, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    while True:
        page = operation(**parameters)
        yield from page[key]
        if not page.get("NextMarker"):
            return
        parameters["Marker"] = page["NextMarker"]


def _keep(environ: Mapping[str, str]) -> int:
    text = environ.get(release.ENV_KEEP_VERSIONS, "")
    if not text.isdecimal() or int(text) < FEWEST:
        raise BadSetting(
            f"the environment variable {release.ENV_KEEP_VERSIONS} is {text!r}; it must be {FEWEST} or more."
        )
    return int(text)
