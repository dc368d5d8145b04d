"""Deployed endpoints, read from the outputs of their stacks."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.exceptions

from serinus.cli.api_keys import KeyRing
from serinus.cli.console import notice
from serinus.cli.context import cli_flags
from serinus.cli.errors import CliError
from serinus.cli.request_auth import CONTENT_TYPE, curl_auth_args
from serinus.cli.target import CloudTarget, local_hint
from serinus.infra.errors import InfraError
from serinus.infra.names import OUTPUTS, SETTINGS
from serinus.infra.release import describe_left_out, pinned_bundle, split_by_pin, unpinned_advice
from serinus.infra.settings import Endpoint as ConfiguredEndpoint
from serinus.infra.settings import Settings, load_settings
from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A deployed endpoint: ``url`` ends without a slash; ``front`` and ``auth`` are the settings of these names;
    ``key`` is None unless ``auth`` is "api_key"."""

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


def select_endpoints(settings: Settings, requested: Sequence[str]) -> list[str]:
    """The endpoints named in ``requested``, or all of the environment; `CliError` for an unknown one."""
    configured = [endpoint.name for endpoint in settings.endpoints]
    if elsewhere := [name for name in requested if name in settings.elsewhere]:
        name, environment = elsewhere[0], settings.environment
        raise CliError(
            f"endpoint {name} does not exist in {environment}: `environments` in [endpoint.{name}] of {SETTINGS} "
            f"lists {', '.join(settings.elsewhere[name])}. Add {environment!r} to it, or use another --env."
        )
    if unknown := [name for name in requested if name not in configured]:
        listed = ", ".join(configured) or "none: `serinus package MODEL --name NAME` adds one"
        raise CliError(
            f"no endpoint {unknown[0]!r} in serinus.toml for {settings.environment!r}; it has {listed}."
        )
    if not configured and settings.elsewhere:
        raise CliError(
            f"no endpoint of {SETTINGS} exists in {settings.environment}: `environments` of "
            f"{', '.join(settings.elsewhere)} does not list it. Add it there, or use another --env."
        )
    if not configured:
        raise CliError(
            "serinus.toml has no [endpoint.NAME] table yet; `serinus package MODEL --name NAME` adds one."
        )
    return list(requested) or configured


def find_configured(settings: Settings, name: str) -> ConfiguredEndpoint:
    """The settings of endpoint ``name``; `CliError` if the environment has no such endpoint."""
    (selected,) = select_endpoints(settings, [name])
    return next(endpoint for endpoint in settings.endpoints if endpoint.name == selected)


def stack_names(project: Path, environment: str, requested: Sequence[str]) -> dict[str, str]:
    """Stack by endpoint, for those named in ``requested`` or all of the environment."""
    settings = load_settings(project / SETTINGS, environment)
    stacks = {endpoint.name: endpoint.stack_name for endpoint in settings.endpoints}
    return {name: stacks[name] for name in select_endpoints(settings, requested)}


def deployable_stacks(project: Path, environment: str, requested: Sequence[str]) -> dict[str, str]:
    """Stack by endpoint, for those named in ``requested`` or all that have a bundle pinned; prints which are left
    out. Raises `CliError` for a named one without a bundle, and if none has one."""
    settings = load_settings(project / SETTINGS, environment)
    names = select_endpoints(settings, requested)
    included, left_out = split_by_pin(project, settings)
    unpinned = [endpoint for endpoint in left_out if endpoint.name in names]
    if unpinned and (requested or not included.endpoints):
        endpoint = unpinned[0]
        raise CliError(
            f"{endpoint.name} cannot be deployed to {environment}: {LOCK} pins no bundle of model "
            f"{endpoint.model} there. {unpinned_advice(project, environment, endpoint.model)}"
        )
    if unpinned:
        notice(describe_left_out(environment, unpinned))
    return {item.name: item.stack_name for item in included.endpoints if item.name in names}


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """The stack of an endpoint as CloudFormation describes it; ``changed_at`` is when it was last deployed, and
    ``protected`` whether CloudFormation refuses to delete it."""

    stack: str
    status: str
    outputs: Mapping[str, str]
    changed_at: datetime
    protected: bool = False

    @property
    def recorded_version(self) -> str | None:
        """The version that the stack records for its alias; None before it has one."""
        return self.outputs.get(OUTPUTS.function_version)


def find_stack(project: Path, environment: str, name: str, target: CloudTarget) -> DeployedStack:
    """The endpoint's stack at ``target``; raises `CliError` if it is not deployed or cannot be described."""
    stack = stack_names(project, environment, [name])[name]
    described = describe_stack(target, stack)
    if described is None:
        flags = cli_flags(environment, local=target.cloud is not None)
        raise CliError(f"{name} is not deployed to {target.name}. Run `serinus deploy {name}{flags}`.")
    return described


def describe_stack(target: CloudTarget, stack: str) -> DeployedStack | None:
    """``stack`` at ``target``, None if there is none; raises `CliError` if it cannot be described."""
    try:
        described = target.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except botocore.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise CliError(f"{target.name} did not describe stack {stack}: {error}{local_hint(error)}") from error
    except botocore.exceptions.BotoCoreError as error:
        raise CliError(
            f"{target.name} cannot be reached: {str(error).rstrip('.')}. `serinus doctor` checks the credentials."
            f"{local_hint(error) or ' With --local the command acts in the offline cloud.'}"
        ) from error
    return DeployedStack(
        stack,
        described["StackStatus"],
        {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])},
        described.get("LastUpdatedTime") or described["CreationTime"],
        described.get("EnableTerminationProtection", False),
    )


def find_endpoint(project: Path, environment: str, name: str, target: CloudTarget) -> Endpoint:
    """The endpoint as it is deployed at ``target``; raises `CliError` if it is not."""
    deployed = find_stack(project, environment, name, target)
    outputs = deployed.outputs
    if missing := [
        key for key in (OUTPUTS.url, OUTPUTS.function_name, OUTPUTS.model_version) if key not in outputs
    ]:
        raise CliError(
            f"stack {deployed.stack} is {deployed.status} and has no output {missing[0]}; deploy it again."
        )
    key_id = outputs.get(OUTPUTS.api_key_id)
    ring = KeyRing(target.client("apigateway"), deployed.stack, key_id) if key_id else None
    return Endpoint(
        name=name,
        stack=deployed.stack,
        url=target.url(outputs[OUTPUTS.url]).rstrip("/"),
        front=outputs.get(OUTPUTS.front, "rest"),
        auth=outputs.get(OUTPUTS.auth, "api_key"),
        key=ring.current().value if ring else None,
        function=outputs[OUTPUTS.function_name],
        function_version=outputs.get(OUTPUTS.function_version, ""),
        model_version=outputs[OUTPUTS.model_version],
    )


def curl_line(endpoint: Endpoint, rows: list[Any] | Path, target: CloudTarget) -> str:
    """A curl command that can be pasted into a shell; ``rows`` may be the file that holds the request's body."""
    body = f"@{rows}" if isinstance(rows, Path) else json.dumps({"rows": rows}, ensure_ascii=False)
    arguments = ["curl", "-sS", shlex.quote(f"{endpoint.url}/predict"), *curl_auth_args(endpoint, target)]
    return " ".join([*arguments, "-H", shlex.quote(f"content-type: {CONTENT_TYPE}"), "-d", shlex.quote(body)])


def example_rows(project: Path, environment: str, endpoint: str) -> list[dict[str, Any]]:
    """One real row of the pinned bundle's golden set; empty if the bundle is not on this machine."""
    settings = load_settings(project / SETTINGS, environment)
    model = next(item.model for item in settings.endpoints if item.name == endpoint)
    try:
        return list(read_golden(pinned_bundle(project, environment, model)).rows[:1])
    except (ContractError, InfraError):
        return []
