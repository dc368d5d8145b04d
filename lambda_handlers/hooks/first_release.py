"""A custom resource that checks an endpoint's first version, since CodeDeploy plays no part in creating an alias.

Later versions go through the deployment group, so updates and deletes only report success, and need nothing but
the standard library for it: CloudFormation also sends a Delete when a Create has failed, and a function that could
answer neither would hold the stack for both time limits.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import traceback
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.hooks.lambda_context import LambdaContext
from serinus.lambda_handlers.hooks.outcome import Outcome

if TYPE_CHECKING:
    from serinus.lambda_handlers.hooks.clients import HookContext

#: CloudFormation accepts at most 4096 bytes of response.
LONGEST_REASON = 2000


def handler(event: dict[str, Any], lambda_context: LambdaContext) -> None:
    """Check the version that the environment names on Create, and report to CloudFormation."""
    respond(event, lambda_context, _hook_context)


def _hook_context() -> "HookContext":
    from serinus.lambda_handlers.hooks.clients import hook_context

    return hook_context()


def respond(
    event: dict[str, Any], lambda_context: LambdaContext, get_context: "Callable[[], HookContext]"
) -> None:
    """As `handler`; ``get_context`` is called only if there is something to check."""
    try:
        outcome = (
            _check(lambda_context, get_context())
            if event["RequestType"] == "Create"
            else Outcome(True, "nothing to do")
        )
    except Exception as error:  # noqa: BLE001 - any error must be reported, or CloudFormation waits for it
        journal.write("the check crashed", error=traceback.format_exc())
        outcome = Outcome(False, f"the check crashed: {type(error).__name__}: {error}")
    journal.write("first release", passed=outcome.passed, reason=outcome.reason)
    _report(event, outcome)


def _check(lambda_context: LambdaContext, context: "HookContext") -> Outcome:
    # Only here: with a layer that does not import, the check fails instead of the function.
    from serinus.lambda_handlers.contract.model_layer import find_model_folder
    from serinus.lambda_handlers.hooks.preflight import check
    from serinus.lambda_handlers.hooks.probe import Expectation
    from serinus.lambda_handlers.hooks.publish_reference import publish_reference
    from serinus.lambda_handlers.hooks.settings import read_settings, read_version
    from serinus.lambda_handlers.hooks.version import Version

    settings, functions = read_settings(context.environ), context.clients.functions
    folder = find_model_folder(context.environ)
    outcome = check(
        Version(functions, settings.function, read_version(context.environ)),
        None,
        Expectation.read(folder),
        settings,
        remaining_s=lambda_context.get_remaining_time_in_millis() / 1000,
    )
    if outcome.passed:
        publish_reference(functions, context.environ, folder)
    return outcome


def _report(event: dict[str, Any], outcome: Outcome) -> None:
    body = json.dumps(
        {
            "Status": "SUCCESS" if outcome.passed else "FAILED",
            "Reason": outcome.reason[:LONGEST_REASON],
            "PhysicalResourceId": event.get("PhysicalResourceId", f"first-release-{event['LogicalResourceId']}"),
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        }
    ).encode()
    # The URL is signed without a content type.
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=30) as response:
        response.read()
