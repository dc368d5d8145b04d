"""The environment variables of a worker: AWS's and the function's own, and none of the user's shell.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serinus.offline.client.shell import bypassing
from serinus.offline.sandbox.interpreter import Interpreter
from serinus.offline.sandbox.spec import FunctionSpec, InitializationType

#: The directories of code and layers on AWS; a function's own variables may name paths below them.
TASK_ROOT = "/var/task"
LAYER_ROOT = "/opt"


@dataclass(frozen=True, slots=True)
class WorkerPaths:
    """One worker's directories on this machine: its code, its merged layers, its own scratch directory."""

    task_root: Path
    opt: Path
    scratch: Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials of the function's role."""

    access_key: str
    secret_key: str
    session_token: str
    expires_at: float


def worker_environment(
    spec: FunctionSpec,
    *,
    paths: WorkerPaths,
    interpreter: Interpreter,
    runtime_api: str,
    initialization: InitializationType,
    log_stream: str,
    credentials: Credentials,
    endpoint_url: str,
) -> dict[str, str]:
    """The complete environment of a worker's process.

    Differs from AWS because workers share a machine: code and layers have their own directories, so paths below
    ``/opt`` and ``/var/task`` in the function's variables are rewritten to those; ``HOME`` and ``TMPDIR`` point
    to the worker's scratch directory, which hides the user's own AWS files; ``AWS_ENDPOINT_URL`` points boto3 to
    this cloud, bypassing a proxy in the function's variables.
    """
    task_root = str(paths.task_root)
    own = {name: _relocate(value, paths) for name, value in spec.environment.items()}
    runtime = {
        "PATH": f"{interpreter.executable.parent}:/usr/local/bin:/usr/bin:/bin:{paths.opt}/bin",
        "LD_LIBRARY_PATH": f"{task_root}:{task_root}/lib:{paths.opt}/lib",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(paths.scratch),
        "TMPDIR": str(paths.scratch),
        "AWS_ENDPOINT_URL": endpoint_url,
        **own,
        "PYTHONPATH": python_path(spec.runtime, paths, interpreter, own.get("PYTHONPATH", "")),
    }
    if spec.tracing_active:
        runtime["AWS_XRAY_CONTEXT_MISSING"] = "LOG_ERROR"
    if any(name.lower().endswith("_proxy") for name in own):
        runtime = bypassing(runtime)
    return runtime | _reserved(spec, task_root, interpreter, runtime_api, initialization, log_stream, credentials)


def python_path(runtime: str, paths: WorkerPaths, interpreter: Interpreter, own: str) -> str:
    """PYTHONPATH: layers first, AWS's own packages last; the code, the working directory, precedes both.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html (search path)
    """
    layers = [paths.opt / "python" / "lib" / runtime / "site-packages", paths.opt / "python"]
    return ":".join([*filter(None, [own]), *map(str, layers), str(interpreter.runtime_dir)])


def _reserved(
    spec: FunctionSpec,
    task_root: str,
    interpreter: Interpreter,
    runtime_api: str,
    initialization: InitializationType,
    log_stream: str,
    credentials: Credentials,
) -> dict[str, str]:
    variables = {
        "_HANDLER": spec.handler,
        "LAMBDA_TASK_ROOT": task_root,
        "LAMBDA_RUNTIME_DIR": str(interpreter.runtime_dir),
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
    }
    if spec.application_log_level is not None:
        variables["AWS_LAMBDA_LOG_LEVEL"] = spec.application_log_level
    return variables


def _relocate(value: str, paths: WorkerPaths) -> str:
    moved = {TASK_ROOT: str(paths.task_root), LAYER_ROOT: str(paths.opt)}
    return ":".join(_relocate_path(part, moved) for part in value.split(":"))


def _relocate_path(part: str, moved: Mapping[str, str]) -> str:
    for root, here in moved.items():
        if part == root or part.startswith(root + "/"):
            return here + part.removeprefix(root)
    return part
