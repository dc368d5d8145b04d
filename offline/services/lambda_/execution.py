"""Converts stored versions into the sandbox's specifications, and assumes functions' roles."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from serinus.offline.core.errors import NotModelled, OfflineError
from serinus.offline.core.ports import CloudContext, FunctionRoles
from serinus.offline.sandbox.environment import Credentials
from serinus.offline.sandbox.spec import Archive, FunctionSpec
from serinus.offline.services.lambda_.shapes import logging_shape
from serinus.offline.services.lambda_.state import Function, FunctionVersion

if TYPE_CHECKING:
    from serinus.offline.services.lambda_.base import LambdaBase

#: Validity of a worker's role session in seconds.
SESSION_S = 3600
#: STS requires two characters; a function's name may have one.
SHORTEST_SESSION_NAME = 2


def spec_of(service: "LambdaBase", function: Function, version: FunctionVersion) -> FunctionSpec:
    """A worker's specification for this version; raises `NotModelled` for runtimes that cannot run here."""
    settings = version.configuration
    if not settings["Runtime"].startswith("python"):
        raise NotModelled(f"running functions of the runtime {settings['Runtime']}", "Use a Python runtime.")
    logging = logging_shape(function.name, settings["LoggingConfig"])
    return FunctionSpec(
        region=function.region,
        account_id=service.account_id,
        name=function.name,
        version=version.version,
        revision=version.revision_id,
        runtime=settings["Runtime"],
        handler=settings["Handler"],
        role=settings["Role"],
        memory_mb=settings["MemorySize"],
        timeout_s=settings["Timeout"],
        code=_archive(service, f"the code of {function.name}", version.code_sha256),
        layers=tuple(
            _archive(service, f"layer {arn.split(':layer:')[-1]}", service.state.layer_archives[arn])
            for arn in settings["Layers"]
        ),
        environment=settings["Environment"]["Variables"],
        log_group=logging["LogGroup"],
        log_format="JSON" if logging["LogFormat"] == "JSON" else "Text",
        application_log_level=logging.get("ApplicationLogLevel"),
        system_log_level=logging.get("SystemLogLevel", "INFO"),
        snap_start=settings["SnapStart"]["ApplyOn"] == "PublishedVersions" and version.version.isdecimal(),
        tracing_active=settings["TracingConfig"].get("Mode") == "Active",
    )


def _archive(service: "LambdaBase", name: str, sha256: str) -> Archive:
    return Archive(name, sha256, service.archives.path(sha256))


def assume_role(context: CloudContext, roles: FunctionRoles, role: str, function: str, region: str) -> Credentials:
    """The role's temporary credentials from STS. Blocks: call it from a thread.

    Raises `OfflineError` if STS rejects the call.
    """
    session_name = function[:64].ljust(SHORTEST_SESSION_NAME, "-")
    try:
        answer = context.client("sts", region).assume_role(
            RoleArn=role, RoleSessionName=session_name, DurationSeconds=SESSION_S
        )
    except (ClientError, BotoCoreError) as error:
        raise OfflineError(f"the role {role} of {function} could not be assumed: {error}") from error
    credentials = answer["Credentials"]
    roles.watch(credentials["AccessKeyId"], role, session_name)
    return Credentials(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
        context.clock.time() + SESSION_S,
    )
