"""AppSpec documents for Lambda: the alias, its two versions, and the validation functions.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.services.codedeploy.records import AFTER, BEFORE, LambdaTarget


@dataclass(frozen=True, slots=True)
class AppSpec:
    """A revision's content; hooks by lifecycle event, as function names or ARNs."""

    target: LambdaTarget
    hooks: dict[str, str]


def revision_of(target: LambdaTarget, hooks: dict[str, str]) -> dict[str, Any]:
    """An AppSpecContent revision, as in a request."""
    document = {
        "version": 0.0,
        "Resources": [
            {
                "TargetFunction": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Name": target.function,
                        "Alias": target.alias,
                        "CurrentVersion": target.current_version,
                        "TargetVersion": target.target_version,
                    },
                }
            }
        ],
        "Hooks": [{event: function} for event, function in hooks.items()],
    }
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(document)}}


def read_revision(revision: dict[str, Any]) -> AppSpec:
    """The AppSpec in a revision; raises InvalidRevisionException, or NotModelled for other revision types."""
    kind = revision.get("revisionType")
    member = {"AppSpecContent": "appSpecContent", "String": "string"}.get(str(kind))
    if member is None:
        if kind in ("S3", "GitHub"):
            raise NotModelled(f"CodeDeploy revisions of type {kind}", "Use AppSpecContent.")
        raise invalid(f"its type is {kind!r}; it must be AppSpecContent")
    content = revision.get(member, {}).get("content")
    if not content:
        raise invalid("it has no content")
    return parse(content)


def parse(content: str) -> AppSpec:
    """The AppSpec in YAML or JSON text. Keys are case-insensitive, as AWS's pages use both cases."""
    try:
        document = _lowered(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise invalid(f"it is neither YAML nor JSON ({error})") from error
    resources = document.get("resources") if isinstance(document, dict) else None
    if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], dict):
        raise invalid("it must have one element in resources")
    (resource,) = resources[0].values()
    if not isinstance(resource, dict) or resource.get("type") != "AWS::Lambda::Function":
        raise invalid("its resource must be of type AWS::Lambda::Function")
    return AppSpec(_target(resource.get("properties", {})), _hooks(document.get("hooks") or []))


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key).lower(): _lowered(inner) for key, inner in value.items()}
    return [_lowered(inner) for inner in value] if isinstance(value, list) else value


def _target(properties: dict[str, Any]) -> LambdaTarget:
    values = {}
    for name in ("name", "alias", "currentversion", "targetversion"):
        value = properties.get(name)
        if value in (None, ""):
            raise invalid(f"the property {name} is required")
        values[name] = str(value)
    for name in ("currentversion", "targetversion"):
        if not values[name].isdecimal() or int(values[name]) < 1:
            raise invalid(f"{name} is {values[name]!r}; it must be a positive integer")
    if values["currentversion"] == values["targetversion"]:
        raise invalid(f"currentversion and targetversion are both {values['targetversion']}")
    return LambdaTarget(values["name"], values["alias"], values["currentversion"], values["targetversion"])


def _hooks(elements: list[Any]) -> dict[str, str]:
    known = {BEFORE.lower(): BEFORE, AFTER.lower(): AFTER}
    hooks = {}
    for element in elements:
        for event, function in element.items():
            if event not in known:
                raise invalid(f"{event} is not a hook of a Lambda deployment; use {BEFORE} or {AFTER}")
            hooks[known[event]] = str(function)
    return hooks


def invalid(why: str) -> AwsError:
    return AwsError("InvalidRevisionException", f"The AppSpec of the revision is not valid: {why}.", status=400)
