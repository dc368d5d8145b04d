"""Which resources a call is about, from its parameters: for the services that functions call.

An entry gives ARNs, or None where the parameters do not tell; a call of a service without an entry is decided by
its action alone.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from collections.abc import Callable
from typing import Any

from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from serinus.offline.authorization.api_call import Asked

Resources = list[str] | None

#: A function by its name, partial ARN or ARN, with or without a qualifier.
FUNCTION = re.compile(
    r"^(?:.*:)?function:(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?$|"
    r"^(?:\d{12}:)?(?P<plain>[\w-]+)(?::(?P<plain_qualifier>[\w$-]+))?$"
)


def resources_of(asked: Asked) -> Resources:
    """ARNs that the call needs its action on; None where it cannot be told."""
    find = _BY_SERVICE.get(asked.service)
    return find(asked) if find else None


def _function(asked: Asked) -> Resources:
    name = asked.params.get("FunctionName")
    if name is not None:
        found = FUNCTION.match(name)
        if found is None:
            return None
        named = found["qualifier"] or found["plain_qualifier"]
        qualifier = asked.params.get("Qualifier") or named or asked.params.get("Name")
        arn = asked.arn(f"function:{found['name'] or found['plain']}")
        return [f"{arn}:{qualifier}" if qualifier and not _about_the_whole(asked) else arn]
    layer = asked.params.get("LayerName")
    if layer is not None:
        arn = layer if layer.startswith("arn:") else asked.arn(f"layer:{layer}")
        version = asked.params.get("VersionNumber")
        return [f"{arn}:{version}" if version else arn]
    return None


def _about_the_whole(asked: Asked) -> bool:
    """Actions on an alias are actions on its function.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    return asked.operation.endswith("Alias")


def _deployment_group(asked: Asked) -> Resources:
    application, group = asked.params.get("applicationName"), asked.params.get("deploymentGroupName")
    deployment = asked.params.get("deploymentId")
    if deployment is not None:
        codedeploy: Any = asked.cloud.services["codedeploy"]
        found = codedeploy.region(asked.region).deployments.get(deployment)
        if found is None:
            return None
        application, group = found.application, found.group
    if application and group:
        return [asked.arn(f"deploymentgroup:{application}/{group}")]
    return [asked.arn(f"application:{application}")] if application else None


def _alarm(asked: Asked) -> Resources:
    names = asked.params.get("AlarmNames") or [asked.params.get("AlarmName")]
    return [asked.arn(f"alarm:{name}") for name in names if name] or None


def _event_bus(asked: Asked) -> Resources:
    entries = asked.params.get("Entries")
    if entries is None:
        name = asked.params.get("Name")
        return [asked.arn(f"rule/{name}")] if name and "Rule" in asked.operation else None
    return list(dict.fromkeys(event_bus_arn(asked, entry.get("EventBusName") or "default") for entry in entries))


def event_bus_arn(asked: Asked, name: str) -> str:
    return name if name.startswith("arn:") else asked.arn(f"event-bus/{name}")


def _log_stream(asked: Asked) -> Resources:
    group = asked.params.get("logGroupName")
    if group is None:
        return None
    return [log_arn(asked.region, asked.account_id, group, asked.params.get("logStreamName") or "")]


def log_arn(region: str, account_id: str, group: str, stream: str = "") -> str:
    """CloudWatch Logs asks about groups under the name of no stream, so that a policy's ``:*`` covers both."""
    return f"arn:aws:logs:{region}:{account_id}:log-group:{group}:log-stream:{stream}"


def _parameter(asked: Asked) -> Resources:
    names = asked.params.get("Names") or [asked.params.get("Name") or asked.params.get("Path")]
    arns = [
        name if name.startswith("arn:") else asked.arn(f"parameter/{name.lstrip('/')}") for name in names if name
    ]
    return arns or None


def _topic(asked: Asked) -> Resources:
    arn = asked.params.get("TopicArn") or asked.params.get("TargetArn")
    return [arn] if arn else None


def _queue(asked: Asked) -> Resources:
    url = asked.params.get("QueueUrl")
    name = url.rstrip("/").rsplit("/", 1)[-1] if url else asked.params.get("QueueName")
    return [asked.arn(name)] if name else None


def _role(asked: Asked) -> Resources:
    arn = asked.params.get("RoleArn")
    return [arn] if arn else None


def _state_machine(asked: Asked) -> Resources:
    names = ("stateMachineArn", "executionArn", "activityArn")
    return [asked.params[name] for name in names if asked.params.get(name)] or None


def _key(asked: Asked) -> Resources:
    key = asked.params.get("KeyId")
    if key is None or key.startswith("arn:"):
        return [key] if key else None
    backend: Any = kms_backends[asked.account_id][asked.region]
    return [asked.arn(f"key/{backend.any_id_to_key_id(key)}")]


def _secret(asked: Asked) -> Resources:
    secret = asked.params.get("SecretId")
    if secret is None or secret.startswith("arn:"):
        return [secret] if secret else None
    backend: Any = secretsmanager_backends[asked.account_id][asked.region]
    return [backend.secrets[secret].arn] if secret in backend.secrets else None


def _bucket_or_object(asked: Asked) -> Resources:
    bucket, key = asked.params.get("Bucket"), asked.params.get("Key")
    if bucket is None:
        return None
    removed = [one["Key"] for one in asked.params.get("Delete", {}).get("Objects", [])]
    keys = [key] if key is not None else removed
    return [f"arn:aws:s3:::{bucket}/{name}" for name in keys] or [f"arn:aws:s3:::{bucket}"]


def _table(asked: Asked) -> Resources:
    name, index = asked.params.get("TableName"), asked.params.get("IndexName")
    names = [name] if name else list(asked.params.get("RequestItems", {}))
    tables = [one if one.startswith("arn:") else asked.arn(f"table/{one}") for one in names]
    return [f"{arn}/index/{index}" if index else arn for arn in tables] or None


_BY_SERVICE: dict[str, Callable[[Asked], Resources]] = {
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
