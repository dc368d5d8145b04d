"""The versions in a deployment's AppSpec, which is JSON or YAML.

Lambda's runtime has no parser of YAML, and none is needed for four values that neither hold spaces nor span lines.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
"""

import re
from collections.abc import Mapping
from typing import Any

from serinus.lambda_handlers.hooks.errors import BadDeployment

#: Properties by the names that CodeDeploy's targets have for them. Either case is accepted by AWS.
_PROPERTIES = {
    "functionName": "Name",
    "functionAlias": "Alias",
    "currentVersion": "CurrentVersion",
    "targetVersion": "TargetVersion",
}


def read_app_spec(revision: Mapping[str, Any]) -> dict[str, str]:
    """Function, alias and both versions in a deployment's ``revision``, by the names of `LambdaFunctionInfo`;
    raises `BadDeployment` if one is not there."""
    content = str(revision.get("appSpecContent", revision.get("string", {})).get("content", ""))
    values = {name: _value_of(key, content) for name, key in _PROPERTIES.items()}
    if lacking := [_PROPERTIES[name] for name, value in values.items() if value is None]:
        raise BadDeployment(
            f"neither CodeDeploy's target nor its AppSpec names {', '.join(lacking)}. Stop the deployment and "
            "deploy the endpoint again."
        )
    # A function may be named by its ARN.
    return {name: str(value).rpartition(":")[2] for name, value in values.items()}


def _value_of(key: str, content: str) -> str | None:
    match = re.search(rf"""(?<![A-Za-z])["']?{key}["']?\s*:\s*["']?([^"'\s,{{}}]+)""", content, re.IGNORECASE)
    return match[1] if match else None
