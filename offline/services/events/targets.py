"""Targets of rules: functions, queues and topics; others are rejected by name."""

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.service import Call
from serinus.offline.services.events.base import EventsBase, page
from serinus.offline.services.events.rules import RuleOperations
from serinus.offline.services.events.store import Document, invalid
from serinus.offline.services.events.transform import check_path

MOST_TARGETS = 5
MODELLED = frozenset({"lambda", "sqs", "sns"})
UNMODELLED_MEMBERS = (
    "KinesisParameters",
    "RunCommandParameters",
    "EcsParameters",
    "BatchParameters",
    "HttpParameters",
    "RedshiftDataParameters",
    "SageMakerPipelineParameters",
    "AppSyncParameters",
)


class TargetOperations(RuleOperations, EventsBase):
    async def put_targets(self, call: Call) -> Document:
        rule = self.rule(call)
        for target in call.params["Targets"]:
            check_target(target)
        names = {target["Id"] for target in call.params["Targets"]} | set(rule.targets)
        if len(names) > MOST_TARGETS:
            raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        rule.targets.update({target["Id"]: target for target in call.params["Targets"]})
        return {"FailedEntryCount": 0, "FailedEntries": []}

    async def remove_targets(self, call: Call) -> Document:
        rule = self.rule(call)
        for target_id in call.params["Ids"]:
            rule.targets.pop(target_id, None)
        return {"FailedEntryCount": 0, "FailedEntries": []}

    async def list_targets_by_rule(self, call: Call) -> Document:
        return page(call, "Targets", list(self.rule(call).targets.values()))


def check_target(target: Document) -> None:
    """Raise for a malformed ARN, an unmodelled kind, or two kinds of input at once."""
    parts = target["Arn"].split(":")
    if len(parts) < 6:
        raise invalid(f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format.")
    if parts[2] not in MODELLED:
        raise NotModelled(f"events: targets of {parts[2]} ({target['Arn']})", "Use functions, queues or topics.")
    for member in UNMODELLED_MEMBERS:
        if target.get(member):
            raise NotModelled(f"events: {member} of a target")
    if sum(target.get(member) is not None for member in ("Input", "InputPath", "InputTransformer")) > 1:
        raise invalid(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        )
    transformer = target.get("InputTransformer") or {}
    for path in [target.get("InputPath") or "$", *(transformer.get("InputPathsMap") or {}).values()]:
        check_path(path)
    if parts[2] == "sqs" and target["Arn"].endswith(".fifo") and not target.get("SqsParameters"):
        raise invalid(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")
