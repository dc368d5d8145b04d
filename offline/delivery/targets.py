"""One attempt to deliver text to a function, a queue or a topic."""

import asyncio
from typing import Any

from serinus.offline.core.ports import CloudContext, FunctionInvoker
from serinus.offline.delivery.functions import invoke_for

Document = dict[str, Any]


async def send(
    context: CloudContext,
    functions: FunctionInvoker,
    target: Document,
    text: str,
    rule_arn: str,
    attributes: dict[str, str] | None = None,
) -> None:
    """Deliver once; raises `AwsError` or botocore's ClientError if the target did not accept it."""
    service = target["Arn"].split(":")[2]
    if service == "lambda":
        await invoke_for(
            functions, target["Arn"], text.encode(), principal="events.amazonaws.com", source_arn=rule_arn
        )
    elif service == "sqs":
        await asyncio.to_thread(to_queue, context, target, text, attributes or {})
    else:
        await asyncio.to_thread(to_topic, context, target["Arn"], text)


def to_queue(context: CloudContext, target: Document, text: str, attributes: dict[str, str]) -> None:
    _, _, _, region, account_id, name = target["Arn"].split(":")
    sqs = context.client("sqs", region)
    url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account_id)["QueueUrl"]
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    sqs.send_message(
        QueueUrl=url,
        MessageBody=text,
        MessageAttributes={key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()},
        **({"MessageGroupId": group} if group else {}),
    )


def to_topic(context: CloudContext, arn: str, text: str) -> None:
    context.client("sns", arn.split(":")[3]).publish(TopicArn=arn, Message=text)
