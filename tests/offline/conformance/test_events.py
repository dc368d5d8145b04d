"""EventBridge: rules, targets and schedules."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest


@pytest.fixture
def queue(aws: Callable[..., Any], unique_name: Callable[..., str]) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    return make_queue(aws("sqs"), unique_name("queue"))


def make_queue(sqs: Any, name: str) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:123456789012:{name}"


@pytest.fixture
def received(aws: Callable[..., Any], eventually: Callable[..., Any]) -> Callable[..., list[str]]:
    """Takes messages from a queue until there were as many as wanted; returns their bodies."""

    def receive(url: str, count: int = 1) -> list[str]:
        bodies: list[str] = []

        def enough() -> bool:
            bodies.extend(taken(aws("sqs"), url))
            return len(bodies) >= count

        eventually(enough)
        return bodies

    return receive


def taken(sqs: Any, url: str) -> list[str]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages") or []
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in found]


@pytest.fixture
def rule(aws: Callable[..., Any], unique_name: Callable[..., str]) -> Iterator[Callable[..., str]]:
    """Makes a rule with one target; keyword arguments are the target's. Returns the rule's name."""
    events, made = aws("events"), []

    def make(pattern: Any, arn: str, **target: Any) -> str:
        name = unique_name("rule")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, **target}])
        made.append(name)
        return name

    yield make
    for name in made:
        events.remove_targets(Rule=name, Ids=["1"])
        events.delete_rule(Name=name)


def entry(source: str, **detail: Any) -> dict[str, str]:
    return {"Source": source, "DetailType": "Something happened", "Detail": json.dumps(detail)}


def test_a_matching_event_reaches_the_target_in_its_envelope(
    aws: Callable[..., Any], queue: Any, rule: Callable[..., str], received: Callable[..., Any]
) -> None:
    """A target gets the whole event: version, id, account, time, region, resources and detail.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    rule({"source": ["shop"]}, queue[1])
    answer = aws("events").put_events(Entries=[entry("shop", order=1), entry("other", order=2)])
    (event,) = map(json.loads, received(queue[0]))
    assert event["id"] == answer["Entries"][0]["EventId"]
    assert (event["version"], event["account"], event["region"]) == ("0", "123456789012", "us-east-1")
    assert (event["source"], event["detail-type"]) == ("shop", "Something happened")
    assert event["detail"] == {"order": 1}
    assert event["resources"] == []


def test_a_function_is_invoked_with_the_event(
    aws: Callable[..., Any],
    queue: Any,
    rule: Callable[..., str],
    received: Callable[..., Any],
    deploy_function: Callable[..., str],
) -> None:
    """A function target is invoked asynchronously, if its policy lets the rule.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    code = (
        "import boto3, json, os\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody=json.dumps(event))\n"
    )
    function = deploy_function(code, Environment={"Variables": {"QUEUE": queue[0]}})
    name = rule({"source": ["invoker"]}, f"arn:aws:lambda:us-east-1:123456789012:function:{function}")
    aws("lambda").add_permission(
        FunctionName=function,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=f"arn:aws:events:us-east-1:123456789012:rule/{name}",
    )
    aws("events").put_events(Entries=[entry("invoker", a=1)])
    assert json.loads(received(queue[0])[0])["detail"] == {"a": 1}


def test_a_topic_passes_the_event_on(
    aws: Callable[..., Any],
    queue: Any,
    rule: Callable[..., str],
    received: Callable[..., Any],
    unique_name: Callable[..., str],
) -> None:
    """An SNS target publishes the event as the message.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    topic = aws("sns").create_topic(Name=unique_name("topic"))["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue[1])
    rule({"source": ["to-topic"]}, topic)
    aws("events").put_events(Entries=[entry("to-topic", a=1)])
    message = json.loads(received(queue[0])[0])["Message"]
    assert json.loads(message)["detail"] == {"a": 1}


def test_what_a_target_does_not_take_goes_to_dead_letters(
    aws: Callable[..., Any],
    queue: Any,
    rule: Callable[..., str],
    eventually: Callable[..., Any],
    deploy_function: Callable[..., str],
) -> None:
    """Without permission nothing is retried: the event goes to the target's queue, with the reason.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    function = deploy_function("def handler(event, context):\n    return None")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    name = rule({"source": ["refused"]}, arn, DeadLetterConfig={"Arn": queue[1]})
    aws("events").put_events(Entries=[entry("refused")])
    (message,) = eventually(
        lambda: aws("sqs").receive_message(QueueUrl=queue[0], MessageAttributeNames=["All"]).get("Messages")
    )
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert attributes["RULE_ARN"].endswith(f"rule/{name}")
    assert (attributes["TARGET_ARN"], attributes["RETRY_ATTEMPTS"]) == (arn, "0")
    assert json.loads(message["Body"])["source"] == "refused"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"fixed": true}'}, '{"fixed": true}'),
        ({"InputPath": "$.detail.who"}, '"me"'),
        (
            {"InputTransformer": {"InputPathsMap": {"w": "$.detail.who"}, "InputTemplate": '"<w> did <x>it"'}},
            '"me did it"',
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"d": "$.detail"}, "InputTemplate": '{"d": <d>}'}},
            '{"d": {"who": "me"}}',
        ),
    ],
)
def test_a_targets_input_may_be_fixed_cut_out_or_templated(
    aws: Callable[..., Any],
    queue: Any,
    rule: Callable[..., str],
    received: Callable[..., Any],
    unique_name: Callable[..., str],
    target: dict[str, Any],
    expected: str,
) -> None:
    """Input, InputPath and InputTransformer decide what a target receives.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    source = unique_name("source")
    rule({"source": [source]}, queue[1], **target)
    aws("events").put_events(Entries=[entry(source, who="me")])
    assert received(queue[0]) == [expected]


def test_a_disabled_rule_is_silent(
    aws: Callable[..., Any], queue: Any, rule: Callable[..., str], received: Callable[..., Any]
) -> None:
    """DisableRule stops deliveries, EnableRule resumes them.

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html
    """
    events = aws("events")
    name = rule({"source": ["switch"]}, queue[1])
    events.disable_rule(Name=name)
    events.put_events(Entries=[entry("switch", number=1)])
    events.enable_rule(Name=name)
    events.put_events(Entries=[entry("switch", number=2)])
    assert [json.loads(body)["detail"]["number"] for body in received(queue[0])] == [2]


def test_a_bus_of_its_own_has_rules_of_its_own(
    aws: Callable[..., Any], queue: Any, received: Callable[..., Any], unique_name: Callable[..., str]
) -> None:
    """Events reach the rules of the bus that they are put on.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html
    """
    events, bus = aws("events"), unique_name("bus")
    events.create_event_bus(Name=bus)
    arn = events.put_rule(Name="r", EventBusName=bus, EventPattern='{"source": ["s"]}')["RuleArn"]
    assert arn == f"arn:aws:events:us-east-1:123456789012:rule/{bus}/r"
    events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "1", "Arn": queue[1]}])
    events.put_events(Entries=[entry("s", on="default"), {**entry("s", on="own"), "EventBusName": bus}])
    assert [json.loads(body)["detail"]["on"] for body in received(queue[0])] == ["own"]


def test_entries_fail_one_by_one(aws: Callable[..., Any]) -> None:
    """PutEvents reports errors by entry: bad JSON, missing members and sources that begin with aws..

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    """
    answer = aws("events").put_events(
        Entries=[
            entry("fine"),
            {**entry("bad"), "Detail": "{"},
            {"Source": "s", "Detail": "{}"},
            entry("aws.ec2"),
        ]
    )
    assert answer["FailedEntryCount"] == 3
    codes = [one.get("ErrorCode") for one in answer["Entries"]]
    assert codes == [None, "MalformedDetail", "InvalidArgument", "NotAuthorizedForSourceException"]


def test_at_most_ten_entries_are_put_at_once(aws: Callable[..., Any]) -> None:
    """PutEvents accepts ten entries.

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    """
    events = aws("events")
    with pytest.raises(events.exceptions.ClientError, match="ValidationException"):
        events.put_events(Entries=[entry("many")] * 11)


def test_a_rule_with_targets_cannot_be_deleted(
    aws: Callable[..., Any], queue: Any, rule: Callable[..., str]
) -> None:
    """Targets are removed before their rule.

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
    """
    events = aws("events")
    name = rule({"source": ["kept"]}, queue[1])
    with pytest.raises(events.exceptions.ClientError, match="since it has targets"):
        events.delete_rule(Name=name)


def test_a_rule_has_at_most_five_targets(aws: Callable[..., Any], queue: Any, rule: Callable[..., str]) -> None:
    """A sixth target is over the limit.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    """
    events = aws("events")
    name = rule({"source": ["full"]}, queue[1])
    with pytest.raises(events.exceptions.LimitExceededException):
        events.put_targets(Rule=name, Targets=[{"Id": str(n), "Arn": queue[1]} for n in range(2, 7)])


@pytest.mark.parametrize("pattern", ["{", "[]", '{"source": "shop"}', '{"source": [{"like": "x"}]}', '{"a": []}'])
def test_a_bad_pattern_is_refused(aws: Callable[..., Any], pattern: str) -> None:
    """PutRule checks the pattern.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
    """
    events = aws("events")
    with pytest.raises(events.exceptions.InvalidEventPatternException):
        events.put_rule(Name="bad", EventPattern=pattern)


@pytest.mark.parametrize(
    "expression",
    ["rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "cron(* * * * ? *)x", "cron(0 10 * * * *)"],
)
def test_a_bad_schedule_is_refused(aws: Callable[..., Any], expression: str) -> None:
    """rate() requires the singular for 1 and the plural otherwise; cron() requires "?" for one of the days.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    events = aws("events")
    with pytest.raises(events.exceptions.ClientError, match="ScheduleExpression is not valid"):
        events.put_rule(Name="bad", ScheduleExpression=expression)


def test_schedules_belong_to_the_default_bus(aws: Callable[..., Any], unique_name: Callable[..., str]) -> None:
    """A rule on another bus has no schedule.

    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    """
    events, bus = aws("events"), unique_name("bus")
    events.create_event_bus(Name=bus)
    with pytest.raises(events.exceptions.ClientError, match="only on the default event bus"):
        events.put_rule(Name="r", EventBusName=bus, ScheduleExpression="rate(1 minute)")


def test_targets_of_other_services_are_refused_by_name(
    aws: Callable[..., Any], unique_name: Callable[..., str]
) -> None:
    """PutTargets refuses targets to which this cloud cannot deliver.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    events, name = aws("events"), unique_name("rule")
    events.put_rule(Name=name, EventPattern='{"source": ["s"]}')
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    with pytest.raises(events.exceptions.ClientError, match="does not model events: targets of kinesis"):
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])


def test_archives_are_refused_by_name(aws: Callable[..., Any]) -> None:
    """Archives, replays and API destinations are not modelled.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
    """
    events = aws("events")
    with pytest.raises(events.exceptions.ClientError, match="does not model events:CreateArchive"):
        events.create_archive(
            ArchiveName="a", EventSourceArn="arn:aws:events:us-east-1:123456789012:event-bus/default"
        )


def test_a_rate_runs_every_period_of_cloud_time(stepped: Any, unique_name: Callable[..., str]) -> None:
    """rate(5 minutes) runs every five minutes with a Scheduled Event of that time, until it is disabled.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
    """
    events, sqs, name = stepped.client("events"), stepped.client("sqs"), unique_name("rate")
    url, queue_arn = make_queue(sqs, name)
    rule_arn = events.put_rule(Name=name, ScheduleExpression="rate(5 minutes)")["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue_arn}])
    begin = stepped.cloud.clock.time()
    stepped.advance(299)
    assert taken(sqs, url) == []
    stepped.advance(601)
    scheduled = [json.loads(body) for body in taken(sqs, url)]
    assert len(scheduled) == 3
    assert {one["detail-type"] for one in scheduled} == {"Scheduled Event"}
    assert {one["source"] for one in scheduled} == {"aws.events"}
    assert scheduled[0]["resources"] == [rule_arn]
    times = sorted(one["time"] for one in scheduled)
    assert times[0] == iso(begin + 300)
    assert times[2] == iso(begin + 900)
    events.disable_rule(Name=name)
    stepped.advance(600)
    assert taken(sqs, url) == []


def iso(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_cron_runs_at_its_minutes_in_utc(stepped: Any, unique_name: Callable[..., str]) -> None:
    """cron(0/15 * * * ? *) runs at each quarter of an hour, UTC.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    events, sqs, name = stepped.client("events"), stepped.client("sqs"), unique_name("cron")
    url, queue_arn = make_queue(sqs, name)
    events.put_rule(Name=name, ScheduleExpression="cron(0/15 * * * ? *)")
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue_arn}])
    stepped.advance(3600)
    times = sorted(json.loads(body)["time"][14:] for body in taken(sqs, url))
    assert times == ["00:00Z", "15:00Z", "30:00Z", "45:00Z"]
