"""Names of a deployed endpoint's resources and outputs: the CLI looks for exactly these.

A stack is `<project>-<environment>-<endpoint>`; the function has the stack's name, so that logs, metrics and bills
name the endpoint; every stack has the outputs below, the key's if `auth` is "api_key" and the domain's if one is
set.
"""

import hashlib
from dataclasses import dataclass

#: In a project's folder.
SETTINGS = "serinus.toml"

DEFAULT_ENVIRONMENT = "dev"
#: The offline cloud's environment: needs no table, has no account, serves its docs.
LOCAL_ENVIRONMENT = "local"
#: Environments that need no `[env.NAME]` with account and region.
UNBOUND_ENVIRONMENTS = (DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT)

#: CDK context key that selects the environment: `cdk deploy -c env=prod`.
CONTEXT_ENVIRONMENT = "env"
#: Selects the environment if no context does, as in a shell that uses the offline cloud.
VARIABLE_ENVIRONMENT = "SERINUS_ENV"

#: CDK context key that skips the bake of one deploy: `cdk deploy -c hotfix=true`.
CONTEXT_HOTFIX = "hotfix"

ALIAS = "live"
#: CodeDeploy's deployment group, in the application with the stack's name.
DEPLOYMENT_GROUP = "live"
STAGE = "live"
#: An HTTP API answers at its host's root: the event's path then holds no stage, behind whatever domain.
HTTP_STAGE = "$default"

#: Tags of every stack; those of endpoints have all three.
TAG_PROJECT, TAG_ENVIRONMENT, TAG_ENDPOINT = "serinus:project", "serinus:environment", "serinus:endpoint"

#: Last part of the name of an environment's shared stack, which no endpoint may have.
SHARED = "shared"

#: Last parts of the names of the functions of an environment's monitor, and of the alarms on them.
MONITOR, COLLECTOR = "monitor", "collector"

#: Lambda's limit for a function's name, which is the stack's.
LONGEST_STACK_NAME = 64
#: Prefix of the functions that AWS's own policies let CodeDeploy invoke.
HOOK_PREFIX = "CodeDeployHook"


@dataclass(frozen=True, slots=True)
class Outputs:
    """Keys of a stack's outputs. ``url`` ends without a slash: with the stage of a REST API, with the host of an
    HTTP API or, where a domain replaces the API's own host, of the domain. ``front`` and ``auth`` hold the
    settings of these names; ``hotfix`` is there after a hotfix only."""

    url: str = "Url"
    domain_url: str = "DomainUrl"
    front: str = "Front"
    auth: str = "Auth"
    api_key_id: str = "ApiKeyId"
    function_name: str = "FunctionName"
    function_version: str = "FunctionVersion"
    alias: str = "Alias"
    model: str = "Model"
    model_version: str = "ModelVersion"
    hotfix: str = "Hotfix"


OUTPUTS = Outputs()


@dataclass(frozen=True, slots=True)
class SharedOutputs:
    """Keys of the outputs of a shared stack with a monitor: its bucket and its functions, by name."""

    bucket: str = "MonitorBucket"
    monitor: str = "MonitorFunction"
    collector: str = "CollectorFunction"


SHARED_OUTPUTS = SharedOutputs()


def stack_name(project: str, environment: str, endpoint: str) -> str:
    """The CloudFormation stack of an endpoint, which is also its function's name."""
    return f"{project}-{environment}-{endpoint}"


def shared_stack_name(project: str, environment: str) -> str:
    """The stack of what an environment's endpoints share: also the name of its topic and of its dashboard."""
    return stack_name(project, environment, SHARED)


#: Last parts of the names of an endpoint's alarms between releases.
FAILING, RELEASE_FUNCTIONS, DRIFT = "failing", "release-functions", "drift"


def steady_alarm_name(stack: str, alarm: str) -> str:
    """An alarm on what an endpoint serves, the same in all its versions."""
    return f"{stack}-{alarm}"


def hook_function_name(stack: str, hook: str) -> str:
    """The function that CodeDeploy calls as ``hook`` ("before", "after")."""
    return _fit(f"{HOOK_PREFIX}_{hook}_{stack}")


def task_function_name(stack: str, task: str) -> str:
    """A function beside the endpoint's that does ``task`` for its releases."""
    return _fit(f"{stack}-{task}")


def shared_function_name(project: str, environment: str, task: str) -> str:
    """A function of the shared stack: `MONITOR` or `COLLECTOR`. Endpoints' stacks name it without a reference."""
    return _fit(f"{shared_stack_name(project, environment)}-{task}")


def _fit(name: str) -> str:
    """``name``, its end replaced by a hash of the whole if it is too long for Lambda."""
    if len(name) <= LONGEST_STACK_NAME:
        return name
    return f"{name[: LONGEST_STACK_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def log_group_name(function_name: str) -> str:
    """The log group of a function: Lambda's own default. With `retain_logs`, a slash and a part of the stack's id
    follow."""
    return f"/aws/lambda/{function_name}"


def access_log_name(stack: str) -> str:
    """The log group of an API's calls, after which `retain_logs` adds the same."""
    return f"/aws/vendedlogs/{stack}/access"
