"""Rules of composite alarms."""

import pytest

from serinus.offline.services.cloudwatch.rule_expression import InvalidRule, parse_rule

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "with space": "ALARM", 'quo"ted': "ALARM"}


def holds(rule: str) -> bool:
    return parse_rule(rule).holds(lambda name: STATES[name])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(a)", True),
        ('ALARM("a")', True),
        ("OK(a)", False),
        ("INSUFFICIENT_DATA(c)", True),
        ("TRUE", True),
        ("false", False),
        ("NOT ALARM(b)", True),
        ("NOT NOT ALARM(b)", False),
        ("ALARM(a) AND OK(b)", True),
        ("ALARM(b) OR OK(b)", True),
        ("ALARM(b) OR ALARM(a) AND OK(a)", False),
        ("(ALARM(b) OR ALARM(a)) AND NOT OK(a)", True),
        ("NOT (ALARM(a) AND OK(b))", False),
        ('ALARM("with space")', True),
        (r'ALARM("quo\"ted")', True),
        ("  ALARM( a )  ", True),
    ],
)
def test_a_rule_holds_by_the_states_of_its_alarms(rule: str, expected: bool) -> None:
    assert holds(rule) is expected


def test_a_rule_names_each_alarm_once() -> None:
    assert parse_rule('ALARM(a) AND (OK("b") OR ALARM(a))').alarms == ("a", "b")


@pytest.mark.parametrize(
    "rule", ["", "ALARM", "ALARM()", "ALARM(a) AND", "(TRUE", "TRUE)", "ALARM(a) XOR OK(b)", "a"]
)
def test_what_does_not_parse_is_refused(rule: str) -> None:
    with pytest.raises(InvalidRule):
        parse_rule(rule)


def test_a_hundred_alarms_are_the_most() -> None:
    parse_rule(" OR ".join(f"ALARM(a{place})" for place in range(100)))
    with pytest.raises(InvalidRule, match="101 alarms"):
        parse_rule(" OR ".join(f"ALARM(a{place})" for place in range(101)))
