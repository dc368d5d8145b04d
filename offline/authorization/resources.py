"""Finds the resources of a call from its parameters, for the services that functions call.

An entry returns ARNs, or None if the parameters do not determine them; a call of a service without an entry is
decided by its action alone.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from collections.abc import Callable
from typing import Any

from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from serinus.offline.authorization.api_call import ApiCall

Resources = list[str] | None

#: A function by its name, partial ARN or ARN, with or without a qualifier.
FUNCTION = re.compile(
    r"^(?:.*:)?function:(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?$|"
    r"^(?:\d{12}:)?(?P<plain>[\w-]+)(?::(?P<plain_qualifier>[\w$-]+))?$"
)


def resources_of(call: ApiCall) -> Resources:
    """The ARNs that the call's action must be allowed on; None if unknown."""
    find = _BY_SERVICE.get(call.service)
    return find(call) if find else None


def _function(call: ApiCall) -> Resources:
    name = call.params.get("FunctionName")
    if name is not None:
        match = FUNCTION.match(name)
        if match is None:
            return None
        named = match["qualifier"] or match["plain_qualifier"]
        qualifier = call.params.get("Qualifier") or named or call.params.get("Name")
        arn = call.arn(f"function:{match['name'] or match['plain']}")
        return [f"{arn}:{qualifier}" if qualifier and not _about_the_whole(call) else arn]
    layer = call.params.get("LayerName")
    if layer is not None:
        arn = layer if layer.startswith("arn:") else call.arn(f"layer:{layer}")
        version = call.params.get("VersionNumber")
        return [f"{arn}:{version}" if version else arn]
    return None


def _about_the_whole(call: ApiCall) -> bool:
    """Actions on an alias are actions on its function; so is deleting a version, if the reading is so.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    of_function = call.readings.delete_function_resource == "function"
    return call.operation.endswith("Alias") or (call.operation == "DeleteFunction" and of_function)


def _deployment_group(call: ApiCall) -> Resources:
    application, group = call.params.get("applicationName"), call.params.get("deploymentGroupName")
    deployment = call.params.get("deploymentId")
    if deployment is not None:
        owner = call.deployment_groups.group_of(call.region, deployment)
        if owner is None:
            return None
        application, group = owner
    if application and group:
        return [call.arn(f"deploymentgroup:{application}/{group}")]
    return [call.arn(f"application:{application}")] if application else None


def _alarm(call: ApiCall) -> Resources:
    names = call.params.get("AlarmNames") or [call.params.get("AlarmName")]
    return [call.arn(f"alarm:{name}") for name in names if name] or None


def _event_bus(call: ApiCall) -> Resources:
    entries = call.params.get("Entries")
    if entries is None:
        name = call.params.get("Name")
        return [call.arn(f"rule/{name}")] if name and "Rule" in call.operation else None
    return list(dict.fromkeys(event_bus_arn(call, entry.get("EventBusName") or "default") for entry in entries))


def event_bus_arn(call: ApiCall, name: str) -> str:
    return name if name.startswith("arn:") else call.arn(f"event-bus/{name}")


def _log_stream(call: ApiCall) -> Resources:
    group = call.params.get("logGroupName")
    if group is None:
        return None
    return [log_arn(call.region, call.account_id, group, call.params.get("logStreamName") or "")]


def log_arn(region: str, account_id: str, group: str, stream: str = "") -> str:
    """CloudWatch Logs checks a group with an empty stream name, so that a policy's ``:*`` covers both."""
    return f"arn:aws:logs:{region}:{account_id}:log-group:{group}:log-stream:{stream}"


def _parameter(call: ApiCall) -> Resources:
    names = call.params.get("Names") or [call.params.get("Name") or call.params.get("Path")]
    arns = [
        name if name.startswith("arn:") else call.arn(f"parameter/{name.lstrip('/')}") for name in names if name
    ]
    return arns or None


def _topic(call: ApiCall) -> Resources:
    arn = call.params.get("TopicArn") or call.params.get("TargetArn")
    return [arn] if arn else None


def _queue(call: ApiCall) -> Resources:
    url = call.params.get("QueueUrl")
    name = url.rstrip("/").rsplit("/", 1)[-1] if url else call.params.get("QueueName")
    return [call.arn(name)] if name else None


def _role(call: ApiCall) -> Resources:
    arn = call.params.get("RoleArn")
    return [arn] if arn else None


def _state_machine(call: ApiCall) -> Resources:
    names = ("stateMachineArn", "executionArn", "activityArn")
    return [call.params[name] for name in names if call.params.get(name)] or None


def _key(call: ApiCall) -> Resources:
    key = call.params.get("KeyId")
    if key is None or key.startswith("arn:"):
        return [key] if key else None
    backend: Any = kms_backends[call.account_id][call.region]
    return [call.arn(f"key/{backend.any_id_to_key_id(key)}")]


def _secret(call: ApiCall) -> Resources:
    secret = call.params.get("SecretId")
    if secret is None or secret.startswith("arn:"):
        return [secret] if secret else None
    backend: Any = secretsmanager_backends[call.account_id][call.region]
    return [backend.secrets[secret].arn] if secret in backend.secrets else None


def _bucket_or_object(call: ApiCall) -> Resources:
    bucket, key = call.params.get("Bucket"), call.params.get("Key")
    if bucket is None:
        return None
    removed = [name_or_arn["Key"] for name_or_arn in call.params.get("Delete", {}).get("Objects", [])]
    keys = [key] if key is not None else removed
    return [f"arn:aws:s3:::{bucket}/{name}" for name in keys] or [f"arn:aws:s3:::{bucket}"]


def _table(call: ApiCall) -> Resources:
    name, index = call.params.get("TableName"), call.params.get("IndexName")
    names = [name] if name else list(call.params.get("RequestItems", {}))
    tables = [
        name_or_arn if name_or_arn.startswith("arn:") else call.arn(f"table/{name_or_arn}")
        for name_or_arn in names
    ]
    return [f"{arn}/index/{index}" if index else arn for arn in tables] or None


_BY_SERVICE: dict[str, Callable[[ApiCall], Resources]] = {
    "cloudwatch": _alarm,
    "codedeploy": _deployment_group,
    "dynamodb": _table,
    "events": _event_bus,
    "kms": _key,
    "lambda": _function,
    "logs": _log_stream,
    "s3": _bucket_or_object,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
    "ssm": _parameter,
    "states": _state_machine,
    "sts": _role,
}
