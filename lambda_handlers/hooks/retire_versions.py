"""Deletes old versions after a successful deployment, except those that a rollback could need.

It keeps the newest versions up to the live one, all that an alias names, and both versions of the deployment that
has just ended: if CloudFormation fails later in the same update, it restores the earlier one. A rollback succeeds
too; versions newer than its target do not count as good ones.

A failure raises, after all versions were tried, so that Lambda counts it in the function's `Errors`.

It runs without layers, so it imports nothing that needs one.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from serinus.lambda_handlers.contract import journal, release
from serinus.lambda_handlers.hooks.deployment import CodeDeploy, read_deployment
from serinus.lambda_handlers.hooks.errors import BadSetting, NotDeleted
from serinus.lambda_handlers.hooks.settings import Settings, read_settings

#: The live version and the one before it, whatever the setting says.
FEWEST = 2


class Versions(Protocol):
    """boto3's Lambda client, as far as it is used here."""

    def list_versions_by_function(self, **parameters: Any) -> dict[str, Any]: ...
    def list_aliases(self, **parameters: Any) -> dict[str, Any]: ...
    def delete_function(self, **parameters: Any) -> Any: ...


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Delete the versions made superfluous by the deployment in EventBridge's event; returns those versions, or
    raises `NotDeleted`."""
    return retire(event, boto3.client("lambda"), boto3.client("codedeploy"), os.environ)


def retire(
    event: dict[str, Any], functions: Versions, codedeploy: CodeDeploy, environ: Mapping[str, str]
) -> dict[str, Any]:
    """As `handler`, with given clients and variables."""
    settings, keep = read_settings(environ), _keep(environ)
    deployment = read_deployment(codedeploy, event["detail"]["deploymentId"], settings)
    needed = {deployment.stable, deployment.canary, *_named_by_aliases(functions, settings)}
    versions = published(functions, settings.function)
    good = [version for version in versions if int(version) <= int(deployment.canary)]
    older = good[keep:]
    superfluous = [version for version in older if version not in needed]
    failures = [failure for version in superfluous if (failure := _delete(functions, settings, version, needed))]
    deleted = [version for version in superfluous if version not in dict(failures)]
    journal.write("old versions deleted", function=settings.function, deleted=deleted, needed=sorted(needed))
    if failures:
        raise NotDeleted(
            f"{len(failures)} of {len(superfluous)} old versions of {settings.function} could not be deleted; "
            f"version {failures[0][0]}: {failures[0][1]}"
        )
    return {"deleted": deleted}


def _delete(
    functions: Versions, settings: Settings, version: str, needed: Collection[str]
) -> tuple[str, str] | None:
    """Delete one version; returns it with the reason if Lambda refuses. The next release tries again.

    The same action without a qualifier deletes the function, and the role's permission may have to include that
    (`ReleasePermissions.retire_versions`): so a version must be a number, and one that nothing needs.
    """
    if not version.isdecimal() or version in needed:
        raise ValueError(
            f"version {version!r} of {settings.function} must not be deleted; {sorted(needed)} are needed"
        )
    try:
        functions.delete_function(FunctionName=settings.function, Qualifier=version)
    except (BotoCoreError, ClientError) as error:
        return version, str(error)
    return None


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


def _pages(operation: Callable[..., dict[str, Any]], key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
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
