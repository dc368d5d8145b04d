"""Reads serinus.toml for one environment: validates the whole file, then merges defaults and overrides.

Later layers win, key by key; tables such as `variables` are merged, lists replaced:

    [defaults]  <  [endpoint.NAME]  <  [env.ENV.defaults]  <  [env.ENV.endpoint.NAME]
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from serinus.infra.errors import InfraError, SettingsError, SettingsIssue
from serinus.infra.names import (
    DEFAULT_ENVIRONMENT,
    LOCAL_ENVIRONMENT,
    LONGEST_STACK_NAME,
    SHARED,
    UNBOUND_ENVIRONMENTS,
    shared_stack_name,
    stack_name,
)
from serinus.infra.settings.function_environment import function_environment
from serinus.infra.settings.issues import did_you_mean, dotted, issues_of, line_of
from serinus.infra.settings.monitor_schema import MonitorSettings
from serinus.infra.settings.monitored import monitored_settings
from serinus.infra.settings.operations_schema import OperationsSettings
from serinus.infra.settings.positions import KeyPath, find_positions
from serinus.infra.settings.rules import LARGEST_ENVIRONMENT_BYTES, MOST_TAGS, environment_bytes
from serinus.infra.settings.schema import EndpointSettings, EndpointTable, EnvironmentSettings, SettingsFile
from serinus.lambda_handlers.contract.monitored import ENV_MONITORED

#: Of Lambda's 4 KB, for what the monitor watches; its other variables have the rest.
LARGEST_MONITORED_BYTES = LARGEST_ENVIRONMENT_BYTES - 256

#: Built-in settings of an environment, below the file's. Offline docs belong to an environment of their own and
#: are not a switch in template or function: a rehearsal of `prod` is then `prod`, byte for byte. So is
#: all_at_once: whoever changes a model every minute should not wait for a bake each time. AWS's address stays open
#: because there is no DNS for a domain. `dev` has only the alarms that an idle endpoint's budget allows
#: (docs/costs.md). Neither has traffic whose drift says anything, so neither is monitored.
BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    LOCAL_ENVIRONMENT: {
        "docs": True,
        "rollout": {"strategy": "all_at_once"},
        "domain": {"keep_default_host": True},
        "monitor": {"enabled": False},
    },
    DEFAULT_ENVIRONMENT: {"alarms": {"coverage": "basic"}, "monitor": {"enabled": False}},
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint in one environment, all settings merged. ``model`` is the packaged model that it serves;
    ``is_required`` whether the settings say that it exists here, so that a missing pin is an error."""

    name: str
    model: str
    stack_name: str
    settings: EndpointSettings
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """One environment of a project. ``account`` and ``region`` are both None if the credentials decide.
    ``operations`` applies to all ``endpoints``. ``elsewhere`` has the endpoints that exist in other environments
    only, with those."""

    project: str
    environment: str
    account: str | None
    region: str | None
    operations: OperationsSettings
    endpoints: tuple[Endpoint, ...]
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def monitored(self) -> tuple[Endpoint, ...]:
        """The endpoints that the environment's monitor watches."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.settings.monitor.enabled)

    @property
    def shared_stack(self) -> str | None:
        """The stack of what the endpoints share; None if the settings need none."""
        needed = self.operations.needs_stack or bool(self.monitored)
        return shared_stack_name(self.project, self.environment) if needed else None


def load_settings(path: Path, environment: str) -> Settings:
    """The settings of ``environment``; raises `SettingsError` with all errors in the file, of any environment, and
    `InfraError` if there is no such file or environment."""
    file = _load(path)
    if environment not in _environments(file):
        hint = did_you_mean(environment, _environments(file))
        raise InfraError(
            f"{path.name} has no environment {environment!r}; {hint} "
            f"Name one of these, or write [env.{environment}] with account and region."
        )
    target = file.env.get(environment, EnvironmentSettings())
    return Settings(
        project=file.project.name,
        environment=environment,
        account=target.account,
        region=target.region,
        operations=_operations(file, environment),
        endpoints=tuple(_endpoint(file, environment, name) for name in _endpoints(file, environment)),
        elsewhere={
            name: table.environments or ()
            for name, table in sorted(file.endpoint.items())
            if not _exists(table, environment)
        },
    )


def read_positions(path: Path) -> Mapping[KeyPath, int]:
    """Lines of all keys of a settings file that was loaded before."""
    return find_positions(path.read_text(encoding="utf-8"))


def known_environments(path: Path) -> list[str]:
    """All environments: those in the file, and the two that need no table."""
    return _environments(_load(path))


def bundle_store(path: Path) -> str:
    """Where the project's bundles are kept in S3; empty if they are not."""
    return _load(path).project.bundle_store


def _endpoints(file: SettingsFile, environment: str) -> list[str]:
    """The endpoints that may exist in ``environment``."""
    return sorted(name for name, table in file.endpoint.items() if _exists(table, environment))


def _exists(table: EndpointTable, environment: str) -> bool:
    """Whether an endpoint may exist in ``environment``: in the offline cloud's if it may in `dev`, whose pins that
    one uses."""
    listed = table.environments
    return (
        listed is None
        or environment in listed
        or (environment == LOCAL_ENVIRONMENT and DEFAULT_ENVIRONMENT in listed)
    )


def _environments(file: SettingsFile) -> list[str]:
    return sorted({*UNBOUND_ENVIRONMENTS, *file.env})


def _load(path: Path) -> SettingsFile:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InfraError(f"there is no {path.name} in {path.parent}. `serinus init` writes one.") from error
    except UnicodeDecodeError as error:
        raise InfraError(f"{path.name} is not UTF-8 text ({error}). Save it as UTF-8.") from error
    file, positions = _validate(path.name, text)
    if issues := [*_check_whole(file, positions)]:
        raise SettingsError(path.name, issues)
    return file


def _validate(name: str, text: str) -> tuple[SettingsFile, Mapping[KeyPath, int]]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InfraError(f"{name} is not valid TOML: {error}.") from error
    positions = find_positions(text)
    try:
        return SettingsFile.model_validate(data), positions
    except ValidationError as error:
        raise SettingsError(name, issues_of(error, positions)) from error


def _check_whole(file: SettingsFile, positions: Mapping[KeyPath, int]) -> Iterator[SettingsIssue]:
    """Checks across tables: accounts of environments, names that must exist, limits of merged tables."""
    for environment, overrides in file.env.items():
        at: KeyPath = ("env", environment)
        yield from _check_account(environment, overrides, at, line_of(at, positions))
        yield from _check_topic_key(file, environment, positions)
        for name in set(overrides.endpoint) - set(file.endpoint):
            path = (*at, "endpoint", name)
            hint = did_you_mean(name, file.endpoint)
            yield SettingsIssue(line_of(path, positions), dotted(path), f"overrides no endpoint; {hint}")
    for name, table in file.endpoint.items():
        yield from _check_existence(file, name, table, positions)
    for environment in _environments(file):
        for name in _endpoints(file, environment):
            yield from _check_endpoint(file, environment, name, positions)
        yield from _check_monitored(file, environment, positions)


def _check_existence(
    file: SettingsFile, name: str, table: EndpointTable, positions: Mapping[KeyPath, int]
) -> Iterator[SettingsIssue]:
    """Environments that there are not, and overrides where the endpoint does not exist."""
    for index, environment in enumerate(table.environments or ()):
        if environment not in _environments(file):
            path: KeyPath = ("endpoint", name, "environments", index)
            hint = did_you_mean(environment, _environments(file))
            yield SettingsIssue(line_of(path, positions), dotted(path), f"names no environment; {hint}")
    for environment, overrides in file.env.items():
        if name in overrides.endpoint and not _exists(table, environment):
            path = ("env", environment, "endpoint", name)
            listed = ", ".join(table.environments or ())
            message = f"overrides an endpoint that exists in {listed} only, by endpoint.{name}.environments"
            yield SettingsIssue(line_of(path, positions), dotted(path), message)


def _check_account(
    environment: str, target: EnvironmentSettings, at: KeyPath, line: int | None
) -> Iterator[SettingsIssue]:
    if environment == LOCAL_ENVIRONMENT:
        if target.account or target.region:
            yield SettingsIssue(line, dotted(at), "is the offline cloud and must not set account or region")
    elif (target.account is None) != (target.region is None) or (
        environment not in UNBOUND_ENVIRONMENTS and target.account is None
    ):
        lacks = " and ".join(key for key in ("account", "region") if getattr(target, key) is None)
        yield SettingsIssue(
            line, dotted(at), f"lacks {lacks}; write both, so that it can be deployed nowhere else"
        )


def _check_topic_key(
    file: SettingsFile, environment: str, positions: Mapping[KeyPath, int]
) -> Iterator[SettingsIssue]:
    """A key of another region, which a topic cannot use."""
    key, region = _operations(file, environment).encryption_key, file.env[environment].region
    if key and region and (of_key := key.split(":")[3]) != region:
        path: KeyPath = ("env", environment, "operations", "encryption_key")
        message = f"is a key in {of_key}, and the environment is in {region}; set a key of {region}"
        yield SettingsIssue(line_of(path, positions), dotted(path), message)


def _check_endpoint(
    file: SettingsFile, environment: str, name: str, positions: Mapping[KeyPath, int]
) -> Iterator[SettingsIssue]:
    endpoint = _endpoint(file, environment, name)
    line, key = line_of(("endpoint", name), positions), f"endpoint.{name}"
    if name == SHARED:
        yield SettingsIssue(line, key, "would have the stack of what all endpoints share; choose another name")
    if (length := len(endpoint.stack_name)) > LONGEST_STACK_NAME:
        message = f"makes the function name {endpoint.stack_name}, {length} characters; Lambda allows "
        yield SettingsIssue(line, key, f"{message}{LONGEST_STACK_NAME}")
    size = environment_bytes(function_environment(environment, name, endpoint.settings))
    if size > LARGEST_ENVIRONMENT_BYTES:
        message = f"has {size} bytes of variables in environment {environment}, cors_origins included; "
        yield SettingsIssue(line, key, f"{message}Lambda allows {LARGEST_ENVIRONMENT_BYTES}")
    if (tags := len(endpoint.settings.tags)) > MOST_TAGS:
        yield SettingsIssue(
            line, key, f"has {tags} tags in environment {environment}; at most {MOST_TAGS} are allowed"
        )


def _check_monitored(
    file: SettingsFile, environment: str, positions: Mapping[KeyPath, int]
) -> Iterator[SettingsIssue]:
    """More monitored endpoints, or longer lists, than the monitor's variables hold."""
    monitored = [
        endpoint
        for endpoint in (_endpoint(file, environment, name) for name in _endpoints(file, environment))
        if endpoint.settings.monitor.enabled
    ]
    size = environment_bytes({ENV_MONITORED: monitored_settings(_by_function(monitored))})
    if size > LARGEST_MONITORED_BYTES:
        path: KeyPath = ("endpoint", monitored[-1].name)
        yield SettingsIssue(
            line_of(path, positions),
            dotted(path),
            f"is one of {len(monitored)} monitored endpoints of environment {environment}; their names and "
            f"settings take {size} bytes of the monitor's variables; {LARGEST_MONITORED_BYTES} are allowed. Set "
            "monitor.enabled = false for some, or shorten monitor.ignore",
        )


def _by_function(endpoints: Iterable[Endpoint]) -> dict[str, MonitorSettings]:
    return {endpoint.stack_name: endpoint.settings.monitor for endpoint in endpoints}


def _endpoint(file: SettingsFile, environment: str, name: str) -> Endpoint:
    overrides = file.env.get(environment, EnvironmentSettings())
    merged: dict[str, Any] = dict(BUILT_IN.get(environment, {}))
    for layer in (file.defaults, file.endpoint[name], overrides.defaults, overrides.endpoint.get(name)):
        if layer is not None:
            _lay_over(merged, layer.model_dump(exclude_unset=True, exclude={"environments", "acceptance"}))
    return Endpoint(
        name=name,
        model=merged.get("model", name),
        stack_name=stack_name(file.project.name, environment, name),
        settings=EndpointSettings.model_validate(merged),
        is_required=file.endpoint[name].environments is not None,
    )


def _operations(file: SettingsFile, environment: str) -> OperationsSettings:
    """The settings of all endpoints. No chat reaches the offline cloud's environment: its messages stay there."""
    merged: dict[str, Any] = {}
    for layer in (file.operations, file.env.get(environment, EnvironmentSettings()).operations):
        _lay_over(merged, layer.model_dump(exclude_unset=True))
    if environment == LOCAL_ENVIRONMENT:
        merged |= {"slack": None, "teams": None}
    return OperationsSettings.model_validate(merged)


def _lay_over(merged: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        merged[key] = {**merged[key], **value} if isinstance(value, dict) and key in merged else value
