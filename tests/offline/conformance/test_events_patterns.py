"""EventBridge: what patterns match."""

import json
from collections.abc import Callable
from typing import Any

import pytest

MATCHES = [
    ({"a": ["x"]}, {"a": "x"}, True),
    ({"a": ["x"]}, {"a": ["y", "x"]}, True),
    ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
    ({"a": {"b": [1]}}, {"a": {"b": 1.0}}, True),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [True]}, {"a": 1}, False),
    ({"a": [{"prefix": "us-"}]}, {"a": "us-east-1"}, True),
    ({"a": [{"prefix": {"equals-ignore-case": "US-"}}]}, {"a": "us-east-1"}, True),
    ({"a": [{"suffix": ".png"}]}, {"a": "cat.jpg"}, False),
    ({"a": [{"equals-ignore-case": "YES"}]}, {"a": "yes"}, True),
    ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/cat.png"}, True),
    ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "z"}, True),
    ({"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "initial"}, False),
    ({"a": [{"anything-but": 3}]}, {}, False),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ({"a": [{"numeric": ["=", 3]}]}, {"a": "3"}, False),
    ({"a": [{"exists": False}]}, {}, True),
    ({"a": [{"exists": True}]}, {"a": None}, True),
    ({"a": {"b": [{"exists": False}]}}, {}, True),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.7"}, True),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
    ({"c": [1], "$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, False),
]


@pytest.mark.parametrize(("pattern", "event", "expected"), MATCHES)
def test_patterns_match_as_documented(
    aws: Callable[..., Any], pattern: dict[str, Any], event: dict[str, Any], expected: bool
) -> None:
    """Every operator of the pattern language, tried through TestEventPattern.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    answer = aws("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
    assert answer["Result"] is expected
