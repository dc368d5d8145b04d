"""Delivers events to the targets of a rule, with retries on cloud time and a dead-letter queue.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import json
import logging
import random

from botocore.exceptions import ClientError

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext, FunctionInvoker, MetricSink
from serinus.offline.delivery.targets import send
from serinus.offline.delivery.tasks import Background
from serinus.offline.services.events.event import Event
from serinus.offline.services.events.store import Document, EventRule
from serinus.offline.services.events.transform import target_input

log = logging.getLogger(__name__)

DEFAULT_ATTEMPTS, DEFAULT_AGE_S = 185, 86_400
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 600.0
#: Errors that are retried; after any other the event goes to the dead-letter queue at once.
RETRIED = frozenset({"TooManyRequestsException", "Throttling", "ThrottlingException", "ServiceException"})


class EventDeliveries:
    """Sends events to targets; failures are retried by jobs of the cloud's clock."""

    def __init__(self, context: CloudContext, functions: FunctionInvoker, metrics: MetricSink) -> None:
        self._context = context
        self._functions = functions
        self._metrics = metrics
        self._background = Background(context.clock)

    def start(self, region: str, rule: EventRule, event: Event) -> None:
        """Deliver without waiting; call it on the event loop."""
        self._background.start(self.to_targets(region, rule, event))

    async def stop(self) -> None:
        await self._background.stop()

    async def to_targets(self, region: str, rule: EventRule, event: Event) -> None:
        self._count(region, rule, "TriggeredRules")
        for target in list(rule.targets.values()):
            text = target_input(target, event, rule.arn, rule.name)
            await self._attempt(region, rule, target, text, attempt=0, since=self._context.clock.time())

    async def _attempt(
        self, region: str, rule: EventRule, target: Document, text: str, *, attempt: int, since: float
    ) -> None:
        self._count(region, rule, "Invocations" if attempt == 0 else "RetryInvocationAttempts")
        try:
            await send(self._context, self._functions, target, text, rule.arn)
        except (AwsError, ClientError) as error:
            code, message = reason(error)
            condition = self._exhausted(target, code, attempt, since)
            if condition is None:
                self._retry(region, rule, target, text, attempt=attempt + 1, since=since)
                return
            log.warning("rule %s: target %s was not reached: %s", rule.name, target["Arn"], message)
            self._count(region, rule, "FailedInvocations")
            await self._to_dead_letters(rule, target, text, code, message, condition, attempt)

    def _retry(
        self, region: str, rule: EventRule, target: Document, text: str, *, attempt: int, since: float
    ) -> None:
        delay_s = min(FIRST_DELAY_S * 2 ** (attempt - 1), LONGEST_DELAY_S) * random.uniform(0.5, 1.0)

        async def again() -> None:
            await self._attempt(region, rule, target, text, attempt=attempt, since=since)

        self._context.clock.call_later(delay_s, again, name=f"retry of rule {rule.name}")

    def _exhausted(self, target: Document, code: str, attempt: int, since: float) -> str | None:
        policy = target.get("RetryPolicy") or {}
        if code not in RETRIED:
            return "NonRetriable"
        if attempt >= policy.get("MaximumRetryAttempts", DEFAULT_ATTEMPTS):
            return "MaximumRetryAttempts"
        age_s = self._context.clock.time() - since
        if age_s >= policy.get("MaximumEventAgeInSeconds", DEFAULT_AGE_S):
            return "MaximumEventAgeInSeconds"
        return None

    async def _to_dead_letters(
        self, rule: EventRule, target: Document, text: str, code: str, message: str, condition: str, attempts: int
    ) -> None:
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None:
            return
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message or code,
            "RETRY_ATTEMPTS": str(attempts),
        }
        if condition != "NonRetriable":
            attributes["EXHAUSTED_RETRY_CONDITION"] = condition
        await send(self._context, self._functions, {"Arn": queue}, text, rule.arn, attributes)

    def _count(self, region: str, rule: EventRule, name: str) -> None:
        self._metrics.record(region, "AWS/Events", name, {"RuleName": rule.name}, 1.0, unit="Count")


def reason(error: AwsError | ClientError) -> tuple[str, str]:
    if isinstance(error, AwsError):
        return error.code, error.message
    details = error.response["Error"]
    return str(details["Code"]), str(details.get("Message", json.dumps(details)))
