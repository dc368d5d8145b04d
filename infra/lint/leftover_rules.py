"""Stacks that a deploy leaves behind: the last synth had them, or the lock pins their model, and the settings no
longer name their endpoint."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serinus.infra.errors import ReleaseError
from serinus.infra.lint.finding import Finding
from serinus.infra.names import LOCAL_ENVIRONMENT, SETTINGS, TAG_ENDPOINT, TAG_ENVIRONMENT, TAG_PROJECT
from serinus.infra.release import read_pins
from serinus.infra.settings import Settings
from serinus.lambda_handlers.contract.lock import LOCK

#: The CDK CLI's folder for the assembly.
ASSEMBLY = "cdk.out"


def find_leftovers(project: Path, settings: Settings) -> Iterator[Finding]:
    """A warning for each stack of the environment in the project's last assembly whose endpoint was removed or
    renamed since, and for each pinned model of the environment that no endpoint serves: the lock is there in every
    checkout, an assembly only after a synth of the environment. A damaged lock is synth's to report."""
    names, served = ({getattr(endpoint, key) for endpoint in settings.endpoints} for key in ("name", "model"))
    flags = " --local" if settings.environment == LOCAL_ENVIRONMENT else f" --env {settings.environment}"
    for stack, tags in _stacks(project / ASSEMBLY / "manifest.json"):
        endpoint = tags.get(TAG_ENDPOINT)
        ours = (tags.get(TAG_PROJECT), tags.get(TAG_ENVIRONMENT)) == (settings.project, settings.environment)
        if ours and isinstance(endpoint, str) and endpoint not in names:
            yield Finding(
                "warning",
                endpoint,
                None,
                f"endpoint.{endpoint}",
                f"{SETTINGS} no longer has it in {settings.environment}, and the last synth had stack {stack} for "
                "it: if that is deployed, a deploy leaves it as it is",
                f"`serinus destroy {endpoint}{flags}` deletes it",
            )
            served.add(endpoint)
    for model in sorted(_pinned(project, settings.environment) - served):
        yield Finding(
            "warning",
            model,
            None,
            f"endpoint.{model}",
            f"{LOCK} pins model {model} for {settings.environment}, and no endpoint serves it there: if one was "
            "removed or renamed, its stack may still be deployed",
            f"`serinus status{flags}` shows it, `serinus destroy NAME{flags}` deletes it, and "
            f"`serinus pin {model} --remove --env {settings.environment}` removes the pin",
        )


def _pinned(project: Path, environment: str) -> set[str]:
    try:
        return set(read_pins(project).get(environment, {}))
    except ReleaseError:
        return set()


def _stacks(manifest: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and tags of each stack in an assembly; none where there is no readable one."""
    try:
        artifacts = json.loads(manifest.read_bytes())["artifacts"]
        for name, artifact in artifacts.items():
            if artifact["type"] == "aws:cloudformation:stack":
                yield name, artifact.get("properties", {}).get("tags", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
