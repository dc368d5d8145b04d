"""Filter patterns: what matches, what is malformed, and what is refused by name.

The examples are those of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
"""

import json

import pytest

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.services.logs.pattern import parse

TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
    }
)
USERS = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)
PROFILE = '{"Profile":1,"FunctionName":"shop-prod-churn","Counts":[1,2,3]}\n'


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("", "", True),
        ("  ", TRAIL, True),
        ("{ $.Profile = 1 }", PROFILE, True),
        ("{$.Profile=1}", PROFILE, True),
        ("{ $.Profile = 1.0 }", PROFILE, True),
        ("{ $.Profile = +1 }", PROFILE, True),
        ("{ $.Profile = 10e-1 }", PROFILE, True),
        ("{ $.Profile = 2 }", PROFILE, False),
        ("{ $.Profile = -1 }", PROFILE, False),
        ('{ $.Profile = "1" }', PROFILE, False),
        ("{ $.Profile = 1 }", '{"Profile": "1"}', False),
        ("{ $.Profile = 1 }", '{"Profile": true}', False),
        ("{ $.Profile = 1 }", '{"profile": 1}', False),
        ("{ $.Profile = 1 }", '{"nested": {"Profile": 1}}', False),
        ("{ $.Profile = 1 }", "START RequestId: 1 Version: 1", False),
        ("{ $.Profile = 1 }", '{"Profile": 1', False),
        ("{ $.Profile = 1 }", ' {"Profile": 1}', True),
        ("{ $.Profile = 1 }", "[" * 100_000, False),
        ("{ $.Counts = 1 }", PROFILE, False),
        ('{ $.eventType = "UpdateTrail" }', TRAIL, True),
        ("{ $.eventType = UpdateTrail }", TRAIL, True),
        ("{ $.eventType = updateTrail }", TRAIL, False),
        ('{ $.arrayKey[0] = "value" }', TRAIL, True),
        ('{ $.arrayKey[2] = "value" }', TRAIL, False),
        ('{ $.eventType[0] = "U" }', TRAIL, False),
        ("{ $.objectList[1].id = 2 }", TRAIL, True),
        ("{ $.objectList[1].id = 1 }", TRAIL, False),
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', USERS, True),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', USERS, False),
        (
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch '
            "&& $.actions[2] = nomatch }",
            USERS,
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) '
            "&& $.actions[2] = nomatch }",
            USERS,
            False,
        ),
        ("{ $.coordinates[1][2] = 6 }", USERS, True),
        ("{$.foo = bar || $.foo = baz }", '{"foo": "baz"}', True),
        (r'{ $.foo = "a \"b\"" }', json.dumps({"foo": 'a "b"'}), True),
    ],
)
def test_what_matches(pattern: str, message: str, matches: bool) -> None:
    assert parse(pattern)(message) is matches


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("ERROR", "terms"),
        ("?ERROR ?WARN", "terms"),
        ('"Failed to process"', "terms"),
        ("[ip, user, ..., status_code = 4*]", "space-delimited"),
        ("%AUTHORIZED%", "terms"),
        ('{ $.a != "b" }', "the operator !="),
        ("{ $.latency >= 500 }", "the operator >="),
        ("{ $.latency < 10e3 && $.a = 1 }", "the operator <"),
        ("{ $.ip = 123.123.* }", "wildcards"),
        ("{ $.event = Put* }", "wildcards"),
        ("{ $.event = * }", "wildcards"),
        ('{ $.event = "Put*" }', "wildcards"),
        ("{ $.event = %Put.% }", "regular expressions"),
        ("{ $.a IS NULL }", "IS and NOT EXISTS"),
        ("{ $.a NOT EXISTS }", "IS and NOT EXISTS"),
        ("{ $.ThisFlag IS TRUE }", "IS and NOT EXISTS"),
        ("{ $['a'] = 1 }", "this selector"),
        ("{ $.* = 1 }", "this selector"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(pattern: str, what: str) -> None:
    with pytest.raises(NotModelled, match="does not model logs: ") as refusal:
        parse(pattern)
    assert what in refusal.value.message
    assert pattern in refusal.value.message


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a = 1",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ ($.a = 1 }",
        "{ $.a = 1) }",
        "{ $.a = 1 && }",
        "{ $.a = 1 & $.b = 2 }",
        "{ $.a = 1 $.b = 2 }",
        '{ $.a = "open }',
        "{ $.a[x] = 1 }",
    ],
)
def test_a_malformed_pattern_is_invalid(pattern: str) -> None:
    with pytest.raises(AwsError) as refusal:
        parse(pattern)
    assert refusal.value.code == "InvalidParameterException"
    assert refusal.value.message.startswith("Invalid filter pattern")
