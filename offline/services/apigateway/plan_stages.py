"""Patches of a usage plan's stages, and of its throttles for single methods.

"/apiStages" with value "api:stage", or "/apiStages/api:stage/throttle/~1pets/GET/rateLimit".
Source: https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateUsagePlan-Patch
"""

from serinus.offline.http.api_documents import Document, bad_request
from serinus.offline.services.apigateway.patching import segments

LIMITS = {"rateLimit": float, "burstLimit": int}


def patch_plan_stages(stages: list[Document], operation: Document) -> None:
    """Apply one operation to a plan's ``apiStages`` in place."""
    match segments(operation["path"]):
        case ["apiStages"]:
            _patch_membership(stages, operation, operation.get("value") or "")
        case ["apiStages", stage]:
            _patch_membership(stages, operation, stage)
        case ["apiStages", stage, "throttle", *method]:
            _patch_throttle(_entry(stages, stage), "/".join(method), operation)
        case _:
            raise bad_request(f"Invalid patch path '{operation['path']}'")


def _patch_membership(stages: list[Document], operation: Document, stage: str) -> None:
    api_id, _, name = stage.partition(":")
    if operation["op"] == "add":
        if any((entry["apiId"], entry["stage"]) == (api_id, name) for entry in stages):
            return
        stages.append({"apiId": api_id, "stage": name})
    elif operation["op"] == "remove":
        stages.remove(_entry(stages, stage))
    else:
        raise bad_request(f"Invalid patch operation '{operation['op']}' for path '{operation['path']}'")


def _entry(stages: list[Document], stage: str) -> Document:
    for entry in stages:
        if f"{entry['apiId']}:{entry['stage']}" == stage:
            return entry
    raise bad_request(f"API Stage {stage} is not in the usage plan")


def _patch_throttle(entry: Document, method: str, operation: Document) -> None:
    throttles = entry.setdefault("throttle", {})
    name, _, limit = method.rpartition("/")
    if operation["op"] == "remove":
        throttles.pop(method if limit not in LIMITS else name, None)
    elif limit in LIMITS:
        try:
            value = LIMITS[limit](operation.get("value") or "")
        except ValueError as error:
            raise bad_request(f"Invalid patch value '{operation.get('value')}' for {operation['path']}") from error
        throttles.setdefault(name, {})[limit] = value
    else:
        raise bad_request(f"Invalid patch path '{operation['path']}': it must end in /rateLimit or /burstLimit")
