"""The access that a call requires: actions, resources, and the condition keys that it sets."""

from collections.abc import Iterator, Sequence

from serinus.offline.authorization.actions import WITHOUT_RESOURCES
from serinus.offline.authorization.api_call import ApiCall
from serinus.offline.authorization.policy import Access
from serinus.offline.authorization.resources import event_bus_arn, resources_of

Pairs = tuple[tuple[str, tuple[str, ...]], ...]

#: Members of a transaction, and the action that each requires.
_TRANSACTED = {
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


def accesses_of(call: ApiCall) -> list[Access]:
    """Every access that must be allowed for the call to be."""
    if call.service == "apigateway":
        return [Access(f"apigateway:{call.method}", f"arn:aws:apigateway:{call.region}::{call.path}")]
    if call.action in ("dynamodb:TransactGetItems", "dynamodb:TransactWriteItems"):
        return list(_transaction(call))
    if call.action == "events:PutEvents":
        return list(_events(call))
    if call.action in WITHOUT_RESOURCES or _is_text_message(call):
        return [Access(call.action, "*", _keys(call))]
    resources: Sequence[str | None] = resources_of(call) or (None,)
    return [*(Access(call.action, arn, _keys(call)) for arn in resources), *_copied(call)]


def _is_text_message(call: ApiCall) -> bool:
    return call.action == "sns:Publish" and "PhoneNumber" in call.params


def _transaction(call: ApiCall) -> Iterator[Access]:
    for item in call.params.get("TransactItems", []):
        for kind, request in item.items():
            name = request["TableName"]
            arn = name if name.startswith("arn:") else call.arn(f"table/{name}")
            yield Access(_TRANSACTED[kind], arn)


def _events(call: ApiCall) -> Iterator[Access]:
    """One access an entry: its source and its type are condition keys.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    for entry in call.params.get("Entries", []):
        keys = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
        bus = event_bus_arn(call, entry.get("EventBusName") or "default")
        yield Access(call.action, bus, tuple((key, (value,)) for key, value in keys.items() if value))


def _copied(call: ApiCall) -> Iterator[Access]:
    """Copying an object requires permission to read it."""
    source = call.params.get("CopySource")
    if isinstance(source, str):
        yield Access("s3:GetObject", f"arn:aws:s3:::{source.lstrip('/').split('?')[0]}")


def _keys(call: ApiCall) -> Pairs:
    if call.action == "cloudwatch:PutMetricData" and "Namespace" in call.params:
        return (("cloudwatch:namespace", (call.params["Namespace"],)),)
    if call.action in ("s3:ListBucket", "s3:ListBucketVersions"):
        named = {"s3:prefix": call.params.get("Prefix"), "s3:delimiter": call.params.get("Delimiter")}
        return tuple((key, (value,)) for key, value in named.items() if value is not None)
    return ()
