"""Removes what checks made, also in earlier runs that were killed, and lists what is left.

Every step may meet what is already gone. A network that is away is waited for.
"""

import contextlib
import functools
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions

from serinus.cli.account_check.firewall_check import SCOPE, delete_web_acl
from serinus.cli.account_check.inventory import Creation
from serinus.cli.account_check.permission_checks import delete_calling_function
from serinus.cli.account_check.releases import describe
from serinus.cli.account_check.session import PREFIX, TAG, CheckSession
from serinus.cli.errors import CliError
from serinus.infra.names import DEPLOYMENT_GROUP, HOOK_PREFIX, log_group_name

#: Real seconds for which removal waits for a network that is away.
NETWORK_PATIENCE_S = 600.0
_NETWORK_PAUSE_S = 5.0
_DELETE_TIMEOUT_S = 3 * 3600.0
_DELETE_ATTEMPTS = 4
#: A check takes less. A younger stack that this project has no record of may belong to a check elsewhere.
LONGEST_RUN_S = 4 * 3600.0
_GONE = (
    "404",
    "NoSuchEntity",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchVersion",
    "ParameterNotFound",
    "ResourceNotFoundException",
    "ApplicationDoesNotExistException",
    "DeploymentGroupDoesNotExistException",
)
#: The order of removal: what others hold comes later.
_ORDER = ("reserved concurrency", "deployment", "alias", "function", "role", "web acl", "stack", "asset", "folder")
#: Stacks are found by their tag as well; assets and the folder of a killed run are needed until stacks are gone.
_AFTER_STACKS = ("stack", "asset", "folder")


class NotRemoved(CliError):
    """Something could not be removed; the message says what to do."""


def check_stacks(session: CheckSession) -> dict[str, dict[str, Any]]:
    """The stacks that any check has made in the account and that exist, by name."""
    pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
    stacks = [stack for page in pages for stack in page["Stacks"]]
    return {
        stack["StackName"]: stack
        for stack in stacks
        # Either alone may be a stack of the user's own.
        if stack["StackName"].startswith(PREFIX) and any(tag["Key"] == TAG for tag in stack.get("Tags", []))
    }


def foreign_stacks(session: CheckSession) -> list[str]:
    """Stacks of checks that this project has no record of, and that are young enough to be in use."""
    now = session.now()
    return [
        name
        for name, stack in check_stacks(session).items()
        if not any(name.startswith(run) for run in session.inventory.runs)
        and now - stack["CreationTime"].timestamp() < LONGEST_RUN_S
    ]


def remove_everything(session: CheckSession, patience_s: float = NETWORK_PATIENCE_S) -> list[str]:
    """Remove all that the record names, and all stacks of checks but those of `foreign_stacks`. Returns what is
    left, in words. Raises botocore's error if the network stays away for ``patience_s`` real seconds."""
    session.waiting.watchers.clear()
    left: list[str] = []
    creations = sorted(session.inventory.creations, key=lambda entry: _ORDER.index(entry.kind))
    for creation in creations:
        if creation.kind in _AFTER_STACKS:
            continue
        _attempt(session, creation, left, patience_s)
    foreign = set(while_offline(lambda: foreign_stacks(session), patience_s))
    for name in while_offline(lambda: list(check_stacks(session)), patience_s):
        if name not in foreign:
            _attempt(session, Creation("stack", name), left, patience_s)
    for creation in creations:
        if creation.kind in _AFTER_STACKS:
            _attempt(session, creation, left, patience_s)
    for run in list(session.inventory.runs):
        remaining = while_offline(functools.partial(_list_leftovers, session, run), patience_s)
        left += remaining
        if not remaining and not session.inventory.creations:
            session.inventory.ended([run])
    return left


def _list_leftovers(session: CheckSession, run: str) -> list[str]:
    return list(leftovers(session, run))


def _attempt(session: CheckSession, creation: Creation, left: list[str], patience_s: float) -> None:
    session.show(f"removing {creation.kind} {creation.name}")
    try:
        while_offline(lambda: REMOVERS[creation.kind](session, creation.name), patience_s)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            left.append(f"{creation.kind} {creation.name}: {error}")
            return
    except NotRemoved as error:
        left.append(f"{creation.kind} {creation.name}: {error}")
        return
    if creation in session.inventory.creations:
        session.inventory.removed(creation)


def while_offline(call: Callable[[], Any], patience_s: float) -> Any:
    """The result of ``call``, repeated while the network is away."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return call()
        except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError):
            if time.monotonic() >= deadline:
                raise
            time.sleep(min(_NETWORK_PAUSE_S, patience_s / 10))


def _remove_stack(session: CheckSession, name: str) -> None:
    """Bring the stack to rest, delete it, and what functions may have written after that."""
    described = describe(session, name)
    if described is not None:
        _stop_deployments(session, name)
        _delete_stack(session, name, described["StackId"])
    _delete_log_groups(session, name)
    _delete_parameters(session, name)


def _stop_deployments(session: CheckSession, stack: str) -> None:
    codedeploy = session.client("codedeploy")
    with contextlib.suppress(botocore.exceptions.ClientError):
        for deployment in codedeploy.list_deployments(
            applicationName=stack,
            deploymentGroupName=DEPLOYMENT_GROUP,
            includeOnlyStatuses=["Created", "Queued", "InProgress"],
        )["deployments"]:
            codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)


def _delete_stack(session: CheckSession, name: str, stack_id: str) -> None:
    cloudformation = session.client("cloudformation")
    for attempt in range(_DELETE_ATTEMPTS):
        status = _status(session, stack_id)
        if status == "UPDATE_IN_PROGRESS":
            with contextlib.suppress(botocore.exceptions.ClientError):
                cloudformation.cancel_update_stack(StackName=name)
        if status != "CREATE_IN_PROGRESS":
            _await_rest(session, stack_id)
        if (status := _status(session, stack_id)) in (None, "DELETE_COMPLETE"):
            return
        retained = _undeletable(session, name) if status == "DELETE_FAILED" and attempt > 1 else []
        with contextlib.suppress(botocore.exceptions.ClientError):
            cloudformation.delete_stack(StackName=name, **({"RetainResources": retained} if retained else {}))
        _await_rest(session, stack_id)
        if _status(session, stack_id) in (None, "DELETE_COMPLETE"):
            return
    raise NotRemoved(f"the stack is {_status(session, stack_id)}; delete it in CloudFormation's console")


def _status(session: CheckSession, stack: str) -> str | None:
    described = describe(session, stack)
    return None if described is None else str(described["StackStatus"])


def _await_rest(session: CheckSession, stack_id: str) -> None:
    def at_rest() -> bool:
        status = _status(session, stack_id)
        return status is None or not status.endswith("_IN_PROGRESS")

    every_s = 1.0 if session.target.cloud is not None else 5.0
    # A rollback may wait for a deployment; all else works as fast as it can.
    working = lambda: "ROLLBACK" not in (_status(session, stack_id) or "")  # noqa: E731
    if session.waiting.until(at_rest, _DELETE_TIMEOUT_S, every_s=every_s, working=working) is None:
        raise NotRemoved(f"the stack is {_status(session, stack_id)} for hours")


def _undeletable(session: CheckSession, name: str) -> list[str]:
    """Custom resources that cannot be deleted: they are nothing but a call."""
    resources = session.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    return [
        resource["LogicalResourceId"]
        for resource in resources
        if resource["ResourceStatus"] == "DELETE_FAILED" and resource["ResourceType"].startswith("Custom::")
    ]


def _remove_alias(session: CheckSession, name: str) -> None:
    function, alias = name.split(":")
    session.client("lambda").delete_alias(FunctionName=function, Name=alias)


def _remove_reserved(session: CheckSession, name: str) -> None:
    session.client("lambda").delete_function_concurrency(FunctionName=name)


def _remove_function(session: CheckSession, name: str) -> None:
    delete_calling_function(session, name)
    _delete_log_groups(session, name)


def _remove_asset(session: CheckSession, name: str) -> None:
    """Delete all versions of an uploaded file: the bootstrap bucket keeps old ones."""
    storage = session.client("s3")
    bucket, _, key = name.partition("/")
    for page in storage.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            if version["Key"] == key:
                storage.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])


def _remove_folder(_session: CheckSession, name: str) -> None:
    shutil.rmtree(name, ignore_errors=True)


REMOVERS: dict[str, Callable[[CheckSession, str], None]] = {
    "reserved concurrency": _remove_reserved,
    "deployment": _stop_deployments,
    "alias": _remove_alias,
    "function": _remove_function,
    "role": delete_calling_function,
    "web acl": delete_web_acl,
    "stack": _remove_stack,
    "asset": _remove_asset,
    "folder": _remove_folder,
}


def _log_groups(session: CheckSession, function: str) -> Iterator[str]:
    """Log groups of functions whose names have ``function`` in them."""
    for prefix in (function, HOOK_PREFIX):
        pages = (
            session.client("logs")
            .get_paginator("describe_log_groups")
            .paginate(logGroupNamePrefix=log_group_name(prefix))
        )
        names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        yield from (name for name in names if function in name)


def _delete_log_groups(session: CheckSession, function: str) -> None:
    for name in list(_log_groups(session, function)):
        with contextlib.suppress(session.client("logs").exceptions.ResourceNotFoundException):
            session.client("logs").delete_log_group(logGroupName=name)


def _parameters(session: CheckSession, path: str) -> list[str]:
    pages = session.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/serinus", Recursive=True)
    names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
    return [name for name in names if name.startswith(f"/serinus/{path}")]


def _delete_parameters(session: CheckSession, stack: str) -> None:
    for name in _parameters(session, stack):
        session.client("ssm").delete_parameter(Name=name)


def leftovers(session: CheckSession, run: str) -> Iterator[str]:
    """What of ``run`` is still there, in words."""
    yield from (f"stack {name}" for name in check_stacks(session) if name.startswith(run))
    functions = session.client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        names = [function["FunctionName"] for function in page["Functions"]]
        yield from (f"function {name}" for name in names if run in name)
    for page in functions.get_paginator("list_layers").paginate():
        yield from (
            f"layer {layer['LayerName']}" for layer in page["Layers"] if layer["LayerName"].startswith(run)
        )
    yield from (f"log group {name}" for name in _log_groups(session, run))
    yield from (f"parameter {name}" for name in _parameters(session, run))
    for page in session.client("iam").get_paginator("list_roles").paginate():
        yield from (f"role {role['RoleName']}" for role in page["Roles"] if role["RoleName"].startswith(run))
    acls = session.client("wafv2").list_web_acls(Scope=SCOPE, Limit=100)["WebACLs"]
    yield from (f"web acl {acl['Name']}" for acl in acls if acl["Name"].startswith(run))
