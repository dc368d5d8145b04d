"""AWS::Lambda::Function."""

import threading
from collections.abc import Iterable
from typing import Any

from serinus.offline.core.clock import monotonic
from serinus.offline.services.cloudformation.adapter import members, missing_ok, removed_keys, retag
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words
from serinus.offline.services.cloudformation.resources.lambda_.inline_code import zipped

#: The default of a property that a template no longer sets.
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


class LambdaFunction(ResourceType):
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

    def create(self, request: ResourceRequest) -> ResourceState:
        client, desired = request.client("lambda"), request.properties
        name = desired.get("FunctionName") or request.name(64)
        configuration = {
            key: value for key, value in desired.items() if key not in ("Code", "FunctionName", "Tags")
        }
        client.create_function(
            FunctionName=name,
            Code=_code(desired),
            Tags=request.tags,
            **members(client, "CreateFunction", configuration),
        )
        request.register_id(name)
        _settle(client, name)
        if "ReservedConcurrentExecutions" in desired:
            _reserve(client, name, desired)
        return _state_of(client, name)

    def update(self, request: ResourceRequest) -> ResourceState:
        client, name, desired = request.client("lambda"), request.identity, request.properties
        if request.changed("Code", "Architectures"):
            extra = {"Architectures": desired["Architectures"]} if "Architectures" in desired else {}
            client.update_function_code(FunctionName=name, **_code(desired), **extra)
            _settle(client, name)
        changes = _changed_configuration(request)
        if changes:
            client.update_function_configuration(
                FunctionName=name, **members(client, "UpdateFunctionConfiguration", changes)
            )
            _settle(client, name)
        if request.changed("ReservedConcurrentExecutions"):
            _reserve(client, name, desired)
        retag(client, request, Resource=request.attributes["Arn"])
        return _state_of(client, name)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_function(FunctionName=request.identity)


def _code(properties: dict[str, Any]) -> dict[str, Any]:
    code = properties["Code"]
    if "ZipFile" in code:
        return {"ZipFile": zipped(code["ZipFile"], properties.get("Runtime", ""))}
    return {key: code[key] for key in ("S3Bucket", "S3Key", "S3ObjectVersion") if key in code}


def _changed_configuration(request: ResourceRequest) -> dict[str, Any]:
    previous = request.previous or {}
    changes = {key: value for key, value in request.properties.items() if value != previous.get(key)}
    dropped = {key: DEFAULTS[key] for key in removed_keys(previous, request.properties) if key in DEFAULTS}
    apart = ("Architectures", "Code", "FunctionName", "PackageType", "ReservedConcurrentExecutions", "Tags")
    return {key: value for key, value in (changes | dropped).items() if key not in apart}


def _reserve(client: Any, name: str, desired: dict[str, Any]) -> None:
    if "ReservedConcurrentExecutions" in desired:
        count = int(desired["ReservedConcurrentExecutions"])
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)
    else:
        client.delete_function_concurrency(FunctionName=name)


def _settle(client: Any, name: str) -> None:
    """Wait until the function is active and its last update is complete."""
    deadline = monotonic() + SETTLE_TIMEOUT_S
    pause = threading.Event()
    while True:
        response = client.get_function_configuration(FunctionName=name)
        if "Failed" in (response.get("State"), response.get("LastUpdateStatus")):
            raise ResourceFailed(response.get("StateReason") or response.get("LastUpdateStatusReason") or "Failed")
        if response.get("State") != "Pending" and response.get("LastUpdateStatus") != "InProgress":
            return
        if monotonic() > deadline:
            raise ResourceFailed(f"Function {name} did not become active within {SETTLE_TIMEOUT_S} s")
        pause.wait(POLL_S)


def _state_of(client: Any, name: str) -> ResourceState:
    response = client.get_function_configuration(FunctionName=name)
    snap_start = response.get("SnapStart") or {}
    return ResourceState(
        name,
        {
            "Arn": response["FunctionArn"],
            "SnapStartResponse.ApplyOn": snap_start.get("ApplyOn", "None"),
            "SnapStartResponse.OptimizationStatus": snap_start.get("OptimizationStatus", "Off"),
        },
    )
