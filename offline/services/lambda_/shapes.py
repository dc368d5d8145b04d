"""Functions, aliases and other records in the API's shapes."""

from datetime import UTC, datetime
from typing import Any

from serinus.offline.services.lambda_.archives import hex_to_aws
from serinus.offline.services.lambda_.state import LATEST, Alias, Function, FunctionVersion, LayerVersion


def timestamp(at: float) -> str:
    """Epoch seconds as Lambda writes them: 2026-11-21T02:37:42.123+0000."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def configuration_shape(
    function: Function, version: FunctionVersion, layer_sizes: dict[str, int], *, qualified: bool
) -> dict[str, Any]:
    """A FunctionConfiguration. Its ARN is qualified if the call named a version, as on AWS."""
    settings = version.configuration
    shape: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": f"{function.arn}:{version.version}" if qualified else function.arn,
        "Runtime": settings["Runtime"],
        "Role": settings["Role"],
        "Handler": settings["Handler"],
        "CodeSize": version.code_size_bytes,
        "CodeSha256": hex_to_aws(version.code_sha256),
        "Description": version.description,
        "Timeout": settings["Timeout"],
        "MemorySize": settings["MemorySize"],
        "LastModified": timestamp(version.last_modified),
        "Version": version.version,
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False},
        "TracingConfig": settings["TracingConfig"],
        "RevisionId": version.revision_id,
        "PackageType": "Zip",
        "Architectures": settings["Architectures"],
        "EphemeralStorage": settings["EphemeralStorage"],
        "SnapStart": _snap_start_shape(version),
        "State": version.state,
        "LastUpdateStatus": version.last_update_status,
        "LoggingConfig": logging_shape(function.name, settings["LoggingConfig"]),
        "Layers": [{"Arn": arn, "CodeSize": layer_sizes.get(arn, 0)} for arn in settings["Layers"]],
    }
    if settings["Environment"]["Variables"]:
        shape["Environment"] = {"Variables": settings["Environment"]["Variables"]}
    if settings["DeadLetterConfig"].get("TargetArn"):
        shape["DeadLetterConfig"] = settings["DeadLetterConfig"]
    if settings["KMSKeyArn"]:
        shape["KMSKeyArn"] = settings["KMSKeyArn"]
    if version.state != "Active":
        shape |= {"StateReason": version.state_reason, "StateReasonCode": version.state_reason_code}
    return {name: value for name, value in shape.items() if value is not None}


def _snap_start_shape(version: FunctionVersion) -> dict[str, str]:
    applies = version.configuration["SnapStart"]["ApplyOn"]
    optimized = applies != "None" and version.version != LATEST and version.state == "Active"
    return {"ApplyOn": applies, "OptimizationStatus": "On" if optimized else "Off"}


def logging_shape(function_name: str, settings: dict[str, str]) -> dict[str, str]:
    """LoggingConfig with its defaults filled in."""
    shape = {
        "LogFormat": settings.get("LogFormat", "Text"),
        "LogGroup": settings.get("LogGroup") or f"/aws/lambda/{function_name}",
    }
    if shape["LogFormat"] == "JSON":
        shape["ApplicationLogLevel"] = settings.get("ApplicationLogLevel", "INFO")
        shape["SystemLogLevel"] = settings.get("SystemLogLevel", "INFO")
    return shape


def alias_shape(function: Function, alias: Alias) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    if alias.additional:
        shape["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.additional)}
    return shape


def layer_version_shape(version: LayerVersion) -> dict[str, Any]:
    shape = {
        "LayerVersionArn": version.arn,
        "Version": version.version,
        "Description": version.description,
        "CreatedDate": timestamp(version.created),
        "CompatibleRuntimes": version.runtimes,
        "CompatibleArchitectures": version.architectures,
        "LicenseInfo": version.license_info or None,
    }
    return {name: value for name, value in shape.items() if value not in (None, [])}
