"""Checks a deployment's alias and sets its weights."""

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import FunctionAliases
from serinus.offline.services.codedeploy.records import LambdaTarget

#: CodeDeploy's message (https://github.com/aws/serverless-application-model/issues/291).
_INVALID = (
    "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration is "
    "missing or has an invalid configuration."
)


async def set_weight(aliases: FunctionAliases, region: str, target: LambdaTarget, weight: float) -> str | None:
    """Send ``weight`` (0 to 1) of the traffic to the target version; returns the error, if any.

    Until all traffic is shifted, the alias names the current version, and the target is its additional version.
    """
    version = target.target_version if weight >= 1 else target.current_version
    additional = {} if weight >= 1 else {target.target_version: weight}
    try:
        await aliases.set_alias_weights(
            region, target.function, target.alias, version=version, additional=additional
        )
    except AwsError as error:
        return f"The alias {target.alias} of {target.function} could not be updated: {error.message}"
    return None


def alias_problem(aliases: FunctionAliases, region: str, target: LambdaTarget) -> tuple[str, str] | None:
    """The error (code, message) that prevents a deployment from starting, or None.

    The alias must exist, name the current version of the AppSpec, and send all traffic to it.
    """
    try:
        alias = aliases.alias(region, target.function, target.alias)
    except AwsError as error:
        return "INVALID_LAMBDA_FUNCTION", error.message
    name = f"The alias {target.alias} of {target.function}"
    if alias.additional:
        why = f"{name} sends traffic to more than one version; remove its weights before a deployment."
    elif alias.version != target.current_version:
        why = (
            f"{_INVALID} The Lambda function alias version does not match the current version in AppSpec file: "
            f"{name} points to version {alias.version}, the AppSpec says {target.current_version}."
        )
    else:
        return None
    return "INVALID_LAMBDA_CONFIGURATION", why
