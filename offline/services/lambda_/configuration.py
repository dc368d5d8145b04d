"""A function's configuration: defaults and AWS's rules.

Sources: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html,
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
"""

import json
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled

MAX_LAYERS = 5
MAX_ENVIRONMENT_BYTES = 4096
SNAP_START_MAX_STORAGE_MB = 512

#: The settings of CreateFunction and UpdateFunctionConfiguration, with AWS's defaults.
DEFAULTS: dict[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
    "SnapStart": {"ApplyOn": "None"},
    "Environment": {"Variables": {}},
    "Layers": [],
    "LoggingConfig": {},
    "DeadLetterConfig": {},
    "KMSKeyArn": "",
}
SETTINGS = (*DEFAULTS, "Runtime", "Role", "Handler")

UNMODELLED = (
    "FileSystemConfigs",
    "ImageConfig",
    "CodeSigningConfigArn",
    "TenancyConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
    "PublishTo",
)

RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
#: Deprecated runtimes, with which functions can no longer be created or updated.
#: Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
RETIRED_RUNTIMES = frozenset({"python2.7", "python3.6", "python3.7", "python3.8", "nodejs", "go1.x", "provided"})
SNAP_START_RUNTIMES = ("python3.12", "python3.13", "python3.14", "python3.15", "java", "dotnet8", "dotnet10")


def merged(current: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """``current`` updated with ``params``; raises AWS's errors, or `NotModelled`."""
    _refuse_unmodelled(params)
    changes = {name: params[name] for name in SETTINGS if params.get(name) is not None}
    configuration = {**DEFAULTS, **current, **changes}
    if "Environment" in changes:
        configuration["Environment"] = {"Variables": dict(changes["Environment"].get("Variables") or {})}
    if "SnapStart" in changes:
        configuration["SnapStart"] = {"ApplyOn": changes["SnapStart"].get("ApplyOn", "None")}
    if "LoggingConfig" in changes:
        configuration["LoggingConfig"] = {**current.get("LoggingConfig", {}), **changes["LoggingConfig"]}
    _require_sound(configuration, changes)
    return configuration


def _refuse_unmodelled(params: dict[str, Any]) -> None:
    for name in UNMODELLED:
        if params.get(name):
            raise NotModelled(f"the property {name} of lambda functions")
    if params.get("PackageType", "Zip") != "Zip":
        raise NotModelled("lambda functions with PackageType Image", "Package the function as a zip.")
    vpc = params.get("VpcConfig") or {}
    if vpc.get("SubnetIds") or vpc.get("SecurityGroupIds"):
        raise NotModelled("the property VpcConfig of lambda functions")


def _require_sound(configuration: dict[str, Any], changes: dict[str, Any]) -> None:
    for required in ("Runtime", "Handler"):
        if not configuration.get(required):
            raise _invalid(f"{required} is mandatory for functions created with deployment packages.")
    if changes.get("Runtime") in RETIRED_RUNTIMES:
        raise _invalid(
            f"The runtime parameter of {changes['Runtime']} is no longer supported for creating or updating AWS "
            "Lambda functions. We recommend you use a supported runtime while creating or updating functions."
        )
    _require_environment(configuration["Environment"]["Variables"])
    _require_logging(configuration["LoggingConfig"])
    _require_snap_start(configuration)
    _require_dead_letter(configuration["DeadLetterConfig"].get("TargetArn"))
    if len(configuration["Layers"]) > MAX_LAYERS:
        raise _invalid("Cannot reference more than 5 layers.")


def _require_environment(variables: dict[str, str]) -> None:
    prefix = (
        "Lambda was unable to configure your environment variables because the environment variables you have "
        "provided "
    )
    reserved = sorted(RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise _invalid(
            f"{prefix}contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    for name in variables:
        if not (name[:1].isalpha() and name.replace("_", "a").isalnum() and len(name) > 1):
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map "
                f"keys must satisfy constraint: [Member must satisfy regular expression pattern: "
                f"[a-zA-Z]([a-zA-Z0-9_])+]; the key is '{name}'",
                status=400,
            )
    written = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(written.encode()) > MAX_ENVIRONMENT_BYTES:
        raise _invalid(f"{prefix}exceeded the 4KB limit. String measured: {written}")


def _require_logging(logging: dict[str, str]) -> None:
    levels = logging.get("ApplicationLogLevel") or logging.get("SystemLogLevel")
    if levels and logging.get("LogFormat", "Text") != "JSON":
        raise _invalid(
            "ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON. To set a log level, "
            "change the LogFormat to JSON."
        )


def _require_snap_start(configuration: dict[str, Any]) -> None:
    if configuration["SnapStart"]["ApplyOn"] == "None":
        return
    runtime = configuration["Runtime"]
    if not runtime.startswith(SNAP_START_RUNTIMES) or runtime.startswith("java8"):
        raise _invalid(f"{runtime} is not supported for SnapStart enabled functions.")
    if configuration["EphemeralStorage"]["Size"] > SNAP_START_MAX_STORAGE_MB:
        raise _invalid("SnapStart is not supported for functions with ephemeral storage greater than 512 MB.")


def _require_dead_letter(target_arn: str | None) -> None:
    if target_arn and target_arn.split(":")[2] not in ("sqs", "sns"):
        raise _invalid(f"The provided target ARN is not an Amazon SQS queue or an Amazon SNS topic: {target_arn}")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)
