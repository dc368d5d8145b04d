"""What a call needs to be allowed: actions, resources, and the condition keys that it fills."""

from collections.abc import Iterator, Sequence

from serinus.offline.authorization.actions import WITHOUT_RESOURCES
from serinus.offline.authorization.api_call import Asked
from serinus.offline.authorization.policy import Access
from serinus.offline.authorization.resources import event_bus_arn, resources_of

Pairs = tuple[tuple[str, tuple[str, ...]], ...]

#: Members of a transaction, and what each needs.
_TRANSACTED = {
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


def accesses_of(asked: Asked) -> list[Access]:
    """Everything that must be allowed before the call is."""
    if asked.service == "apigateway":
        return [Access(f"apigateway:{asked.method}", f"arn:aws:apigateway:{asked.region}::{asked.path}")]
    if asked.action in ("dynamodb:TransactGetItems", "dynamodb:TransactWriteItems"):
        return list(_transaction(asked))
    if asked.action == "events:PutEvents":
        return list(_events(asked))
    if asked.action in WITHOUT_RESOURCES or _is_text_message(asked):
        return [Access(asked.action, "*", _keys(asked))]
    resources: Sequence[str | None] = resources_of(asked) or (None,)
    return [*(Access(asked.action, arn, _keys(asked)) for arn in resources), *_copied(asked)]


def _is_text_message(asked: Asked) -> bool:
    return asked.action == "sns:Publish" and "PhoneNumber" in asked.params


def _transaction(asked: Asked) -> Iterator[Access]:
    for item in asked.params.get("TransactItems", []):
        for kind, request in item.items():
            name = request["TableName"]
            arn = name if name.startswith("arn:") else asked.arn(f"table/{name}")
            yield Access(_TRANSACTED[kind], arn)


def _events(asked: Asked) -> Iterator[Access]:
    """Each entry by itself: its source and its type are condition keys.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    for entry in asked.params.get("Entries", []):
        keys = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
        bus = event_bus_arn(asked, entry.get("EventBusName") or "default")
        yield Access(asked.action, bus, tuple((key, (value,)) for key, value in keys.items() if value))


def _copied(asked: Asked) -> Iterator[Access]:
    """Who copies an object must be allowed to read it."""
    source = asked.params.get("CopySource")
    if isinstance(source, str):
        yield Access("s3:GetObject", f"arn:aws:s3:::{source.lstrip('/').split('?')[0]}")


def _keys(asked: Asked) -> Pairs:
    if asked.action == "cloudwatch:PutMetricData" and "Namespace" in asked.params:
        return (("cloudwatch:namespace", (asked.params["Namespace"],)),)
    if asked.action in ("s3:ListBucket", "s3:ListBucketVersions"):
        named = {"s3:prefix": asked.params.get("Prefix"), "s3:delimiter": asked.params.get("Delimiter")}
        return tuple((key, (value,)) for key, value in named.items() if value is not None)
    return ()
