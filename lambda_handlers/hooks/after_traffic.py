"""CodeDeploy's AfterAllowTraffic: all traffic has moved; does the alias answer as the new version?

It confirms and does not decide, but for blue_green: there the deployment is held here, and the judge lets it go.
"""

from typing import Any

from lambda_handlers.contract.model_layer import find_model_folder
from lambda_handlers.contract.release import Strategy
from lambda_handlers.hooks.clients import Surroundings, surroundings
from lambda_handlers.hooks.deployment import read_deployment
from lambda_handlers.hooks.held import Held, hold
from lambda_handlers.hooks.lifecycle import answer
from lambda_handlers.hooks.preflight import Outcome
from lambda_handlers.hooks.probe import Expectation, TimeLimits, probe
from lambda_handlers.hooks.settings import read_settings
from lambda_handlers.hooks.version import Version


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Probe the alias, and report to CodeDeploy or leave that to the judge."""
    return respond(event, surroundings())


def respond(event: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """As `handler`, in given surroundings."""

    def confirm(deployment_id: str) -> Outcome | None:
        settings = read_settings(around.environ)
        deployment = read_deployment(around.clients.codedeploy, deployment_id, settings)
        expected = Expectation.read(find_model_folder(around.environ)).slice(0, settings.rows_per_request)
        alias = Version(around.clients.functions, settings.function, settings.alias)
        limits = TimeLimits(settings.warm_limit_ms)
        found = probe(alias, expected, limits, published=deployment.canary)
        if found.failed:
            return Outcome(
                False, f"alias {settings.alias} does not answer as version {deployment.canary}: {found.detail}"
            )
        if settings.strategy is Strategy.BLUE_GREEN:
            hold(
                around.clients.ssm, settings.function, Held(deployment_id, event["LifecycleEventHookExecutionId"])
            )
            return None
        return Outcome(True, f"alias {settings.alias} answers as version {deployment.canary}: {found.detail}")

    return answer(around.clients.codedeploy, event, confirm)
