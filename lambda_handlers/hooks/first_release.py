"""A custom resource that checks an endpoint's first version, when creating its alias involves no CodeDeploy.

Later versions go through the deployment group, so updates and deletes only acknowledge.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import traceback
import urllib.request
from typing import Any

from lambda_handlers.contract.model_layer import find_model_folder
from lambda_handlers.hooks import journal
from lambda_handlers.hooks.before_traffic import Context
from lambda_handlers.hooks.clients import Surroundings, surroundings
from lambda_handlers.hooks.preflight import Outcome, check
from lambda_handlers.hooks.probe import Expectation
from lambda_handlers.hooks.settings import read_settings
from lambda_handlers.hooks.version import Version

#: CloudFormation takes no more of a response than 4096 bytes.
LONGEST_REASON = 2000


def handler(event: dict[str, Any], context: Context) -> None:
    """Check the version in the resource's property ``Version`` on Create, and answer CloudFormation."""
    respond(event, context, surroundings())


def respond(event: dict[str, Any], context: Context, around: Surroundings) -> None:
    """As `handler`, in given surroundings."""
    try:
        outcome = (
            _check(event, context, around) if event["RequestType"] == "Create" else Outcome(True, "nothing to do")
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation must hear of it, or waits an hour
        journal.write("the check crashed", error=traceback.format_exc())
        outcome = Outcome(False, f"the check crashed: {type(error).__name__}: {error}")
    journal.write("first release", passed=outcome.passed, reason=outcome.reason)
    _answer(event, outcome)


def _check(event: dict[str, Any], context: Context, around: Surroundings) -> Outcome:
    settings = read_settings(around.environ)
    return check(
        Version(around.clients.functions, settings.function, event["ResourceProperties"]["Version"]),
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
