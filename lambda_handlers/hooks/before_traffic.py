"""CodeDeploy's BeforeAllowTraffic: the golden set and the signature, before anyone meets the new version."""

from typing import Any

from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.hooks.clients import Surroundings, surroundings
from serinus.lambda_handlers.hooks.context import Context
from serinus.lambda_handlers.hooks.deployment import read_deployment
from serinus.lambda_handlers.hooks.hook_response import answer
from serinus.lambda_handlers.hooks.outcome import Outcome
from serinus.lambda_handlers.hooks.settings import read_settings
from serinus.lambda_handlers.hooks.version import Version


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Check the deployment's target version and report to CodeDeploy."""
    return respond(event, context, surroundings())


def respond(event: dict[str, Any], context: Context, around: Surroundings) -> dict[str, Any]:
    """As `handler`, in given surroundings."""

    def check_target(deployment_id: str) -> Outcome:
        # Only here: with a layer that does not import, the check fails instead of the function.
        from serinus.lambda_handlers.hooks.preflight import check
        from serinus.lambda_handlers.hooks.probe import Expectation

        settings = read_settings(around.environ)
        deployment = read_deployment(around.clients.codedeploy, deployment_id, settings)
        functions = around.clients.functions
        return check(
            Version(functions, settings.function, deployment.canary),
            Version(functions, settings.function, deployment.stable),
            Expectation.read(find_model_folder(around.environ)),
            settings,
            remaining_s=context.get_remaining_time_in_millis() / 1000,
        )

    return answer(around.clients.codedeploy, event, check_target)
