"""CodeDeploy's BeforeAllowTraffic: checks golden set and signature before the new version gets live requests."""

from typing import Any

from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.hooks.clients import HookContext, hook_context
from serinus.lambda_handlers.hooks.deployment import read_deployment
from serinus.lambda_handlers.hooks.hook_response import run_and_report
from serinus.lambda_handlers.hooks.lambda_context import LambdaContext
from serinus.lambda_handlers.hooks.outcome import Outcome
from serinus.lambda_handlers.hooks.publish_reference import publish_reference
from serinus.lambda_handlers.hooks.settings import read_settings
from serinus.lambda_handlers.hooks.version import Version


def handler(event: dict[str, Any], lambda_context: LambdaContext) -> dict[str, Any]:
    """Check the deployment's target version and report to CodeDeploy."""
    return respond(event, lambda_context, hook_context())


def respond(event: dict[str, Any], lambda_context: LambdaContext, context: HookContext) -> dict[str, Any]:
    """As `handler`, with the clients and variables of ``context``."""

    def check_target(deployment_id: str) -> Outcome:
        # Only here: with a layer that does not import, the check fails instead of the function.
        from serinus.lambda_handlers.hooks.preflight import check
        from serinus.lambda_handlers.hooks.probe import Expectation

        settings = read_settings(context.environ)
        deployment = read_deployment(context.clients.codedeploy, deployment_id, settings)
        functions, folder = context.clients.functions, find_model_folder(context.environ)
        outcome = check(
            Version(functions, settings.function, deployment.canary),
            Version(functions, settings.function, deployment.stable),
            Expectation.read(folder),
            settings,
            remaining_s=lambda_context.get_remaining_time_in_millis() / 1000,
        )
        if outcome.passed:
            publish_reference(functions, context.environ, folder)
        return outcome

    return run_and_report(context.clients.codedeploy, event, check_target)
