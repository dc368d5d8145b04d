"""SNS: who receives what is published."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest


@pytest.fixture
def topic(aws: Callable[..., Any], unique_name: Callable[..., str]) -> str:
    """The ARN of a new topic."""
    arn: str = aws("sns").create_topic(Name=unique_name("topic"))["TopicArn"]
    return arn


@pytest.fixture
def queue(aws: Callable[..., Any], unique_name: Callable[..., str]) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    name = unique_name("queue")
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:123456789012:{name}"


@pytest.fixture
def messages(aws: Callable[..., Any], eventually: Callable[..., Any]) -> Callable[[str], list[dict[str, Any]]]:
    """Receives the messages of a queue, waiting for the first."""

    def receive(url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = eventually(
            lambda: (
                aws("sqs")
                .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
                .get("Messages")
            )
        )
        return found

    return receive


@pytest.fixture
def listening_function(
    deploy_function: Callable[..., str], aws: Callable[..., Any], queue: tuple[str, str]
) -> Callable[..., str]:
    """Makes a function that puts each event it gets into the queue; returns its ARN."""

    def make(allowed: str | None) -> str:
        code = (
            "import boto3, json, os\n"
            "def handler(event, context):\n"
            "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody=json.dumps(event))\n"
        )
        name = deploy_function(code, Environment={"Variables": {"QUEUE": queue[0]}})
        if allowed is not None:
            aws("lambda").add_permission(
                FunctionName=name,
                StatementId="s",
                Action="lambda:InvokeFunction",
                Principal="sns.amazonaws.com",
                SourceArn=allowed,
            )
        return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"

    return make


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[tuple[dict[str, str], str]]]]:
    """An HTTP endpoint and what was posted to it: headers (lower-case) and body."""
    posted: list[tuple[dict[str, str], str]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            posted.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(500 if "fail" in self.path else 200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Nothing to say."""

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", posted
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_subscribed_function_gets_the_documented_event(
    aws: Callable[..., Any],
    topic: str,
    queue: tuple[str, str],
    listening_function: Callable[..., str],
    messages: Callable[..., Any],
) -> None:
    """A function is invoked with Records of EventSource aws:sns, the message under Sns.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    sns, function = aws("sns"), listening_function(allowed=topic)
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)["SubscriptionArn"]
    colour = {"DataType": "String", "StringValue": "yellow"}
    sent = sns.publish(TopicArn=topic, Message="hello", Subject="hi", MessageAttributes={"colour": colour})
    record = json.loads(messages(queue[0])[0]["Body"])["Records"][0]
    assert (record["EventSource"], record["EventVersion"]) == ("aws:sns", "1.0")
    assert record["EventSubscriptionArn"] == subscription
    content = record["Sns"]
    assert (content["MessageId"], content["TopicArn"]) == (sent["MessageId"], topic)
    assert (content["Message"], content["Subject"], content["Type"]) == ("hello", "hi", "Notification")
    assert content["MessageAttributes"] == {"colour": {"Type": "String", "Value": "yellow"}}


def test_a_function_that_does_not_allow_sns_sends_the_message_to_dead_letters(
    aws: Callable[..., Any],
    topic: str,
    queue: tuple[str, str],
    listening_function: Callable[..., str],
    messages: Callable[..., Any],
) -> None:
    """Messages that cannot be delivered go to the subscription's RedrivePolicy queue.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    """
    aws("sns").subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=listening_function(allowed=None),
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue[1]})},
    )
    aws("sns").publish(TopicArn=topic, Message="undelivered")
    assert messages(queue[0])[0]["Body"] == "undelivered"


def test_a_queue_gets_the_message_in_an_envelope_or_raw(
    aws: Callable[..., Any], topic: str, queue: tuple[str, str], messages: Callable[..., Any]
) -> None:
    """A queue gets SNS' JSON, or the bare message where RawMessageDelivery is on.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
    """
    sns = aws("sns")
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue[1])["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="wrapped")
    (wrapped,) = messages(queue[0])
    assert json.loads(wrapped["Body"])["Message"] == "wrapped"
    aws("sqs").delete_message(QueueUrl=queue[0], ReceiptHandle=wrapped["ReceiptHandle"])
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    sns.publish(TopicArn=topic, Message="bare")
    assert messages(queue[0])[0]["Body"] == "bare"


def test_a_filter_policy_keeps_messages_from_a_subscriber(
    aws: Callable[..., Any],
    topic: str,
    queue: tuple[str, str],
    listening_function: Callable[..., str],
    messages: Callable[..., Any],
) -> None:
    """A subscriber gets only messages whose attributes its filter policy matches.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
    """
    aws("sns").subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=listening_function(allowed=topic),
        Attributes={"FilterPolicy": '{"colour": ["yellow"]}'},
    )
    for colour in ("red", "yellow"):
        attribute = {"DataType": "String", "StringValue": colour}
        aws("sns").publish(TopicArn=topic, Message=colour, MessageAttributes={"colour": attribute})
    (only,) = messages(queue[0])
    assert json.loads(only["Body"])["Records"][0]["Sns"]["Message"] == "yellow"


def test_an_http_endpoint_confirms_before_it_is_sent_anything(
    aws: Callable[..., Any], topic: str, endpoint: Any, eventually: Callable[..., Any]
) -> None:
    """An endpoint first gets a SubscriptionConfirmation; messages come after ConfirmSubscription only.

    Source: https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
    """
    url, posted = endpoint
    sns = aws("sns")
    answer = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    assert answer["SubscriptionArn"] == "pending confirmation"
    eventually(lambda: len(posted) == 1)
    headers, body = posted[0]
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    sns.publish(TopicArn=topic, Message="too early")
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    confirmed = sns.confirm_subscription(TopicArn=topic, Token=json.loads(body)["Token"])["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="in time")
    eventually(lambda: len(posted) == 2)
    headers, body = posted[1]
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-subscription-arn"] == confirmed
    assert json.loads(body)["Message"] == "in time"


def test_visiting_the_subscribe_url_confirms(
    aws: Callable[..., Any], topic: str, endpoint: Any, eventually: Callable[..., Any]
) -> None:
    """An endpoint may confirm by a GET of SubscribeURL.

    Source: https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
    """
    url, posted = endpoint
    aws("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    eventually(lambda: posted)
    assert httpx.get(json.loads(posted[0][1])["SubscribeURL"], trust_env=False).status_code == 200
    (listed,) = aws("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"].startswith(topic)


def test_a_wrong_token_confirms_nothing(aws: Callable[..., Any], topic: str) -> None:
    """ConfirmSubscription rejects a token that SNS did not issue.

    Source: https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html
    """
    sns = aws("sns")
    with pytest.raises(sns.exceptions.InvalidParameterException, match="Token"):
        sns.confirm_subscription(TopicArn=topic, Token="guess")


def test_texts_and_mails_wait_in_the_outbox(aws: Callable[..., Any], topic: str, cloud: Any) -> None:
    """A mail subscription must be confirmed; text messages go straight to their number.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
    """
    sns = aws("sns")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+12065550100")
    sns.publish(TopicArn=topic, Message="hello")
    sent = [mail for mail in cloud.own_api().get("/sns/outbox").json() if mail["topic_arn"] == topic]
    assert [(one["protocol"], one["endpoint"]) for one in sent] == [
        ("email", "a@example.org"),
        ("sms", "+12065550100"),
    ]
    assert "/_offline/sns/confirm" in sent[0]["message"]
    assert sent[1]["message"] == "hello"


def test_a_message_may_differ_by_protocol(aws: Callable[..., Any], topic: str, cloud: Any) -> None:
    """MessageStructure json sends each protocol its own text, or the default.

    Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    sns = aws("sns")
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+12065550101")
    sns.publish(TopicArn=topic, MessageStructure="json", Message='{"default": "long", "sms": "short"}')
    sent = cloud.own_api().get("/sns/outbox").json()
    assert [one["message"] for one in sent if one["topic_arn"] == topic] == ["short"]
    with pytest.raises(sns.exceptions.InvalidParameterException, match="default"):
        sns.publish(TopicArn=topic, MessageStructure="json", Message='{"sms": "short"}')


def test_a_batch_tells_what_was_sent(aws: Callable[..., Any], topic: str) -> None:
    """PublishBatch accepts ten messages with distinct ids and reports a result for each.

    Source: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
    """
    sns = aws("sns")
    entries = [{"Id": str(number), "Message": "m"} for number in range(2)]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["0", "1"]
    with pytest.raises(sns.exceptions.BatchEntryIdsNotDistinctException):
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[entries[0], entries[0]])


def test_publishing_to_no_topic_is_not_found(aws: Callable[..., Any]) -> None:
    """Publish to a topic that does not exist is refused.

    Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    sns = aws("sns")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:nowhere", Message="m")


def test_an_endpoint_that_fails_is_tried_again(
    stepped: Any, endpoint: Any, eventually: Callable[..., Any]
) -> None:
    """By the default policy, an HTTP endpoint gets a message again 20 seconds after a failure, three times.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    """
    url, posted = endpoint
    sns = stepped.client("sns")
    topic = sns.create_topic(Name="retried")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{url}?fail")
    eventually(lambda: len(posted) == 1)
    stepped.advance(19)
    assert len(posted) == 1
    for attempts in (2, 3, 4):
        eventually(lambda wanted=attempts: stepped.advance(20) or len(posted) >= wanted)
    stepped.advance(200)
    assert len(posted) == 4
