"""A custom resource that checks an endpoint's first version, when creating its alias involves no CodeDeploy.

Later versions go through the deployment group, so updates and deletes only acknowledge, and need nothing but the
standard library for it: CloudFormation also sends a Delete when a Create has failed, and a function that could
answer neither would hold the stack for both time limits.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import traceback
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from serinus.lambda_handlers.hooks import journal
from serinus.lambda_handlers.hooks.context import Context
from serinus.lambda_handlers.hooks.outcome import Outcome

if TYPE_CHECKING:
    from serinus.lambda_handlers.hooks.clients import Surroundings

#: CloudFormation takes no more of a response than 4096 bytes.
LONGEST_REASON = 2000


def handler(event: dict[str, Any], context: Context) -> None:
    """Check the version that the environment names on Create, and answer CloudFormation."""
    respond(event, context, _surroundings)


def _surroundings() -> "Surroundings":
    from serinus.lambda_handlers.hooks.clients import surroundings

    return surroundings()


def respond(event: dict[str, Any], context: Context, surround: "Callable[[], Surroundings]") -> None:
    """As `handler`, in the surroundings that ``surround`` gives; they are not asked for without a check."""
    try:
        outcome = (
            _check(context, surround()) if event["RequestType"] == "Create" else Outcome(True, "nothing to do")
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation must hear of it, or waits for it
        journal.write("the check crashed", error=traceback.format_exc())
        outcome = Outcome(False, f"the check crashed: {type(error).__name__}: {error}")
    journal.write("first release", passed=outcome.passed, reason=outcome.reason)
    _answer(event, outcome)


def _check(context: Context, around: "Surroundings") -> Outcome:
    # Only here: with a layer that does not import, the check fails instead of the function.
    from serinus.lambda_handlers.contract.model_layer import find_model_folder
    from serinus.lambda_handlers.hooks.preflight import check
    from serinus.lambda_handlers.hooks.probe import Expectation
    from serinus.lambda_handlers.hooks.settings import read_settings, read_version
    from serinus.lambda_handlers.hooks.version import Version

    settings = read_settings(around.environ)
    return check(
        Version(around.clients.functions, settings.function, read_version(around.environ)),
        None,
        Expectation.read(find_model_folder(around.environ)),
        settings,
        remaining_s=context.get_remaining_time_in_millis() / 1000,
    )


def _answer(event: dict[str, Any], outcome: Outcome) -> None:
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
