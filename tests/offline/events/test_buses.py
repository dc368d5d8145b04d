"""Buses and rules are read as they were made, and are gone once deleted."""

from collections.abc import Callable
from typing import Any

import pytest

ACCOUNT, REGION = "123456789012", "us-east-1"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
PATTERN = '{"source": ["s"]}'


def test_a_bus_is_read_as_it_was_made_and_gone_once_deleted(
    aws: Callable[..., Any], unique_name: Callable[..., str]
) -> None:
    events, name = aws("events"), unique_name("bus")
    arn = events.create_event_bus(Name=name, Description="first")["EventBusArn"]
    assert arn == f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{name}"
    for named in (name, arn):
        bus = events.describe_event_bus(Name=named)
        assert (bus["Name"], bus["Arn"], bus["Description"]) == (name, arn, "first")
    assert [bus["Arn"] for bus in events.list_event_buses(NamePrefix=name)["EventBuses"]] == [arn]
    events.delete_event_bus(Name=name)
    assert events.list_event_buses(NamePrefix=name)["EventBuses"] == []
    with pytest.raises(events.exceptions.ResourceNotFoundException, match=f"Event bus {name} does not exist"):
        events.describe_event_bus(Name=name)


def test_the_default_bus_is_there_and_stays(aws: Callable[..., Any]) -> None:
    events = aws("events")
    assert events.describe_event_bus()["Name"] == "default"
    assert "default" in [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
    with pytest.raises(
        events.exceptions.ClientError, match=r"ValidationException.*Cannot delete event bus default"
    ):
        events.delete_event_bus(Name="default")


def test_deleting_a_bus_that_does_not_exist_succeeds(aws: Callable[..., Any]) -> None:
    aws("events").delete_event_bus(Name="missing")


def test_a_rule_is_read_as_it_was_put_and_gone_once_deleted(
    aws: Callable[..., Any], unique_name: Callable[..., str]
) -> None:
    events, name = aws("events"), unique_name("rule")
    arn = events.put_rule(Name=name, EventPattern=PATTERN, Description="first")["RuleArn"]
    rule = events.describe_rule(Name=name)
    expected = {
        "Name": name,
        "Arn": arn,
        "EventPattern": PATTERN,
        "Description": "first",
        "State": "ENABLED",
        "EventBusName": "default",
        "CreatedBy": ACCOUNT,
    }
    assert rule.items() >= expected.items()
    events.put_rule(Name=name, EventPattern=PATTERN, State="DISABLED")
    rule = events.describe_rule(Name=name)
    assert (rule["State"], "Description" in rule) == ("DISABLED", False)
    events.delete_rule(Name=name)
    with pytest.raises(events.exceptions.ResourceNotFoundException, match=f"Rule {name} does not exist"):
        events.describe_rule(Name=name)


def test_rules_are_found_by_their_target(aws: Callable[..., Any], unique_name: Callable[..., str]) -> None:
    events, target = aws("events"), f"{QUEUE}-{unique_name('target')}"
    assert events.list_rule_names_by_target(TargetArn=target)["RuleNames"] == []
    names = [unique_name("rule") for _ in range(2)]
    for name in names:
        events.put_rule(Name=name, EventPattern=PATTERN)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target}, {"Id": "2", "Arn": QUEUE}])
    assert sorted(events.list_rule_names_by_target(TargetArn=target)["RuleNames"]) == sorted(names)
    events.remove_targets(Rule=names[0], Ids=["1"])
    assert events.list_rule_names_by_target(TargetArn=target)["RuleNames"] == names[1:]
    for name in names:
        events.remove_targets(Rule=name, Ids=["1", "2"])
        events.delete_rule(Name=name)
