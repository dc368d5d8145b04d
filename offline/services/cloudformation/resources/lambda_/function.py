"""AWS::Lambda::Function."""

import threading
from collections.abc import Iterable
from typing import Any

from serinus.offline.core.clock import monotonic
from serinus.offline.services.cloudformation.adapter import lost, members, missing_ok, retag
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words
from serinus.offline.services.cloudformation.resources.lambda_.inline_code import zipped

#: What a property goes back to when a template drops it.
DEFAULTS: dict[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "KmsKeyArn": "",
    "Layers": [],
    "MemorySize": 128,
    "SnapStart": {"ApplyOn": "None"},
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
}
CODE = words("S3Bucket S3Key S3ObjectVersion ZipFile")
SETTLE_TIMEOUT_S = 300
POLL_S = 0.05


class Function(ResourceType):
    type = "AWS::Lambda::Function"
    modelled = words(
        "Architectures Code DeadLetterConfig Description Environment EphemeralStorage FunctionName Handler "
        "KmsKeyArn Layers LoggingConfig MemorySize PackageType ReservedConcurrentExecutions Role Runtime "
        "SnapStart Tags Timeout TracingConfig"
    )
    attributes = words("Arn SnapStartResponse.ApplyOn SnapStartResponse.OptimizationStatus")
    taggable = True

    def check(self, properties: dict[str, Any]) -> Iterable[str]:
        code = properties.get("Code")
        for name in code if isinstance(code, dict) else ():
            if name not in CODE and not name.startswith("Fn::"):
                yield f"the property Code.{name}"
        if properties.get("PackageType", "Zip") != "Zip":
            yield f"PackageType {properties['PackageType']}"

    def create(self, request: Request) -> Made:
        client, wanted = request.client("lambda"), request.properties
        name = wanted.get("FunctionName") or request.name(64)
        configuration = {
            key: value for key, value in wanted.items() if key not in ("Code", "FunctionName", "Tags")
        }
        client.create_function(
            FunctionName=name,
            Code=_code(wanted),
            Tags=request.tags,
            **members(client, "CreateFunction", configuration),
        )
        request.claim(name)
        _settle(client, name)
        if "ReservedConcurrentExecutions" in wanted:
            _reserve(client, name, wanted)
        return _made(client, name)

    def update(self, request: Request) -> Made:
        client, name, wanted = request.client("lambda"), request.identity, request.properties
        if request.changed("Code", "Architectures"):
            extra = {"Architectures": wanted["Architectures"]} if "Architectures" in wanted else {}
            client.update_function_code(FunctionName=name, **_code(wanted), **extra)
            _settle(client, name)
        changes = _changed_configuration(request)
        if changes:
            client.update_function_configuration(
                FunctionName=name, **members(client, "UpdateFunctionConfiguration", changes)
            )
            _settle(client, name)
        if request.changed("ReservedConcurrentExecutions"):
            _reserve(client, name, wanted)
        retag(client, request, Resource=request.attributes["Arn"])
        return _made(client, name)

    def delete(self, request: Request) -> None:
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_function(FunctionName=request.identity)


def _code(properties: dict[str, Any]) -> dict[str, Any]:
    code = properties["Code"]
    if "ZipFile" in code:
        return {"ZipFile": zipped(code["ZipFile"], properties.get("Runtime", ""))}
    return {key: code[key] for key in ("S3Bucket", "S3Key", "S3ObjectVersion") if key in code}


def _changed_configuration(request: Request) -> dict[str, Any]:
    previous = request.previous or {}
    changes = {key: value for key, value in request.properties.items() if value != previous.get(key)}
    dropped = {key: DEFAULTS[key] for key in lost(previous, request.properties) if key in DEFAULTS}
    apart = ("Architectures", "Code", "FunctionName", "PackageType", "ReservedConcurrentExecutions", "Tags")
    return {key: value for key, value in (changes | dropped).items() if key not in apart}


def _reserve(client: Any, name: str, wanted: dict[str, Any]) -> None:
    if "ReservedConcurrentExecutions" in wanted:
        count = int(wanted["ReservedConcurrentExecutions"])
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)
    else:
        client.delete_function_concurrency(FunctionName=name)


def _settle(client: Any, name: str) -> None:
    """Wait until the function is active and its last update is done."""
    deadline = monotonic() + SETTLE_TIMEOUT_S
    pause = threading.Event()
    while True:
        found = client.get_function_configuration(FunctionName=name)
        if "Failed" in (found.get("State"), found.get("LastUpdateStatus")):
            raise ResourceFailed(found.get("StateReason") or found.get("LastUpdateStatusReason") or "Failed")
        if found.get("State") != "Pending" and found.get("LastUpdateStatus") != "InProgress":
            return
        if monotonic() > deadline:
            raise ResourceFailed(f"Function {name} did not become active within {SETTLE_TIMEOUT_S} s")
        pause.wait(POLL_S)


def _made(client: Any, name: str) -> Made:
    found = client.get_function_configuration(FunctionName=name)
    snap_start = found.get("SnapStart") or {}
    return Made(
        name,
        {
            "Arn": found["FunctionArn"],
            "SnapStartResponse.ApplyOn": snap_start.get("ApplyOn", "None"),
            "SnapStartResponse.OptimizationStatus": snap_start.get("OptimizationStatus", "Off"),
        },
    )
