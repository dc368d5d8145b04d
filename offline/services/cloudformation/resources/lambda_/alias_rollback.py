"""Returns an alias to its former version when its stack rolls back after the shift had succeeded.

The update policy performs a CodeDeploy deployment when an alias's version changes; rollbacks are not documented.
People report stacks that took half an hour, or stayed in UPDATE_ROLLBACK_FAILED.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
https://github.com/aws/serverless-application-model/issues/291
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.provider import ResourceRequest

SLOW_S = 1800.0
POLL_S = 0.05
STUCK = (
    "The alias {name} points to version {live} and could not be returned to version {former} "
    "(reading stack-alias-rollback). Return it by hand, or skip the resource, and continue the update rollback."
)

Deploy = Callable[..., None]


def return_alias(request: ResourceRequest, policy: dict[str, Any] | None, deploy: Deploy) -> None:
    """Do what precedes the direct update of the alias, as the reading has it; raises `ResourceFailed`.

    Nothing precedes it without a policy, or where CodeDeploy has already undone the shift.
    """
    desired = request.properties
    former = str(desired["FunctionVersion"])
    alias = request.client("lambda").get_alias(FunctionName=desired["FunctionName"], Name=desired["Name"])
    live = alias["FunctionVersion"]
    if not policy or live == former:
        return
    reading = request.context.config.readings.stack_alias_rollback
    if reading == "stuck":
        raise ResourceFailed(STUCK.format(name=desired["Name"], live=live, former=former))
    if reading == "slow":
        _wait(request, SLOW_S)
    elif reading == "codedeploy":
        deploy(request, policy, current=live)


def _wait(request: ResourceRequest, seconds: float) -> None:
    """Return after so many cloud seconds, or when waiting is pointless."""
    over: Future[None] = Future()

    async def end() -> None:
        over.set_result(None)

    clock = request.context.clock
    job = clock.call_later(seconds, end, name=f"rollback of {request.logical_id}")
    with clock.waiting_for(over):
        while not (over.done() or request.cancelled.is_set()):
            wait([over], POLL_S)
    job.cancel()
