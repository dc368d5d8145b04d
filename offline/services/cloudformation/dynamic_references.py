"""Dynamic references: ``{{resolve:service:...}}``, resolved just before a resource is created.

They stay unresolved in the stack's state, so that no secret is ever kept or shown there.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.cloudformation.errors import ResourceFailed

ClientFactory = Callable[[str], Any]

PATTERN = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")


def resolve_dynamic(value: Any, client: ClientFactory) -> Any:
    """``value`` with each dynamic reference resolved; ``client`` returns boto3 clients by service name."""
    if isinstance(value, dict):
        return {key: resolve_dynamic(item, client) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve_dynamic(item, client) for item in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return PATTERN.sub(lambda match: _fetch(match[1], match[2], client), value)
    return value


def _fetch(service: str, name: str, client: ClientFactory) -> str:
    try:
        if service == "secretsmanager":
            return _secret(name, client("secretsmanager"))
        response = client("ssm").get_parameter(Name=name, WithDecryption=service == "ssm-secure")
    except ClientError as error:
        raise ResourceFailed(f"Could not resolve {{{{resolve:{service}:{name}}}}}: {error}") from error
    value: str = response["Parameter"]["Value"]
    return value


def _secret(reference: str, secrets: Any) -> str:
    arn = re.match(r"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+", reference)
    secret_id = arn[0] if arn else reference.split(":")[0]
    rest = reference[len(secret_id) :].split(":")[1:] + [""] * 4
    kind, key, stage, version = rest[:4]
    if kind not in ("", "SecretString"):
        raise NotModelled(f"the dynamic reference to {kind} of a secret")
    version_arguments = {"VersionStage": stage, "VersionId": version}
    response = secrets.get_secret_value(
        SecretId=secret_id, **{name: value for name, value in version_arguments.items() if value}
    )
    text: str = response["SecretString"]
    if not key:
        return text
    fields = json.loads(text)
    if key not in fields:
        raise ResourceFailed(
            f"Could not find a value associated with JSONKey {key} in SecretString of {secret_id}"
        )
    return str(fields[key])
