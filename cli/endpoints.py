"""Deployed endpoints, as the outputs of their stacks describe them."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.exceptions

from serinus.cli.api_keys import KeyRing
from serinus.cli.context import options
from serinus.cli.errors import CliError
from serinus.cli.project import SETTINGS
from serinus.cli.request_auth import CONTENT_TYPE, curl_words
from serinus.cli.target import Target
from serinus.infra.errors import InfraError
from serinus.infra.names import OUTPUTS
from serinus.infra.release import pinned_bundle
from serinus.infra.settings import Settings, load_settings
from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.errors import ContractError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A deployed endpoint: ``url`` ends without a slash; ``front`` and ``auth`` are the settings of these names;
    ``key`` is None where ``auth`` is another than "api_key"."""

    name: str
    stack: str
    url: str
    front: str
    auth: str
    key: str | None
    function: str
    function_version: str
    model_version: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def choose_endpoints(settings: Settings, wanted: Sequence[str]) -> list[str]:
    """The endpoints named in ``wanted``, or all of the environment; `CliError` for one that is not there."""
    known = [endpoint.name for endpoint in settings.endpoints]
    if unknown := [name for name in wanted if name not in known]:
        listed = ", ".join(known) or "none yet: `serinus package` and an [endpoint.NAME] table make one"
        raise CliError(
            f"no endpoint {unknown[0]!r} in serinus.toml for {settings.environment!r}; it has {listed}."
        )
    if not known:
        raise CliError(
            "serinus.toml has no [endpoint.NAME] table yet; `serinus package MODEL --name NAME` adds one."
        )
    return list(wanted) or known


def stack_names(project: Path, environment: str, wanted: Sequence[str]) -> dict[str, str]:
    """Stack by endpoint, for those named in ``wanted`` or all of the environment."""
    settings = load_settings(project / SETTINGS, environment)
    stacks = {endpoint.name: endpoint.stack_name for endpoint in settings.endpoints}
    return {name: stacks[name] for name in choose_endpoints(settings, wanted)}


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """The stack of an endpoint as CloudFormation describes it; ``changed_at`` is when it was last deployed."""

    stack: str
    status: str
    outputs: Mapping[str, str]
    changed_at: datetime

    @property
    def believed_version(self) -> str | None:
        """The version that the stack believes its alias to name; None before it has one."""
        return self.outputs.get(OUTPUTS.function_version)


def find_stack(project: Path, environment: str, name: str, target: Target) -> DeployedStack:
    """The endpoint's stack at ``target``; `CliError` where it is not deployed or cannot be asked for."""
    stack = stack_names(project, environment, [name])[name]
    found = describe_stack(target, stack)
    if found is None:
        here = options(environment, local=target.cloud is not None)
        raise CliError(f"{name} is not deployed to {target.name}. `serinus deploy {name}{here}` does it.")
    return found


def describe_stack(target: Target, stack: str) -> DeployedStack | None:
    """``stack`` at ``target``, None where there is none; `CliError` where it cannot be asked for."""
    try:
        described = target.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except botocore.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise CliError(f"{target.name} would not describe stack {stack}: {error}") from error
    except botocore.exceptions.BotoCoreError as error:
        raise CliError(
            f"{target.name} could not be asked: {str(error).rstrip('.')}. `serinus doctor` looks at credentials."
        ) from error
    return DeployedStack(
        stack,
        described["StackStatus"],
        {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])},
        described.get("LastUpdatedTime") or described["CreationTime"],
    )


def find_endpoint(project: Path, environment: str, name: str, target: Target) -> Endpoint:
    """The endpoint as it is deployed at ``target``; `CliError` when it is not."""
    found = find_stack(project, environment, name, target)
    outputs = found.outputs
    if missing := [
        key for key in (OUTPUTS.url, OUTPUTS.function_name, OUTPUTS.model_version) if key not in outputs
    ]:
        raise CliError(f"stack {found.stack} is {found.status} and has no output {missing[0]}; deploy it again.")
    key_id = outputs.get(OUTPUTS.api_key_id)
    ring = KeyRing(target.client("apigateway"), found.stack, key_id) if key_id else None
    return Endpoint(
        name=name,
        stack=found.stack,
        url=target.url(outputs[OUTPUTS.url]).rstrip("/"),
        front=outputs.get(OUTPUTS.front, "rest"),
        auth=outputs.get(OUTPUTS.auth, "api_key"),
        key=ring.current().value if ring else None,
        function=outputs[OUTPUTS.function_name],
        function_version=outputs.get(OUTPUTS.function_version, ""),
        model_version=outputs[OUTPUTS.model_version],
    )


def curl_line(endpoint: Endpoint, rows: list[Any], target: Target) -> str:
    """A line that can be pasted into a shell."""
    body = json.dumps({"rows": rows}, ensure_ascii=False)
    words = ["curl", "-sS", shlex.quote(f"{endpoint.url}/predict"), *curl_words(endpoint, target)]
    return " ".join([*words, "-H", shlex.quote(f"content-type: {CONTENT_TYPE}"), "-d", shlex.quote(body)])


def example_rows(project: Path, environment: str, endpoint: str) -> list[dict[str, Any]]:
    """One real row of the pinned bundle's golden set; empty when the bundle is not here."""
    settings = load_settings(project / SETTINGS, environment)
    model = next(item.model for item in settings.endpoints if item.name == endpoint)
    try:
        return list(read_golden(pinned_bundle(project, environment, model)).rows[:1])
    except (ContractError, InfraError):
        return []
