"""The alarm algorithm against every row of AWS's tables on missing data."""

import pytest

from serinus.offline.services.cloudwatch.evaluation import evaluate, evaluation_range

RETAIN = "retain current state"
MODES = ("missing", "ignore", "breaching", "notBreaching")

#: Data points, and the state under each of MODES, for 3 out of 3 and an evaluation range of 5.
THREE_OF_THREE = {
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "0 - - - -": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", RETAIN, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", RETAIN, "ALARM", "OK"),
}


def points(row: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[sign] for sign in row.split()]


def cells(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    return [(row, mode, state) for row, states in table.items() for mode, state in zip(MODES, states, strict=True)]


@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(("row", "mode", "state"), cells(THREE_OF_THREE))
def test_three_out_of_three(row: str, mode: str, state: str, current: str) -> None:
    outcome = evaluate(points(row), periods=3, to_alarm=3, missing=mode, current=current)
    assert outcome.state == (current if state == RETAIN else state)


@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(("row", "mode", "state"), cells(TWO_OF_THREE))
def test_two_out_of_three(row: str, mode: str, state: str, current: str) -> None:
    outcome = evaluate(points(row), periods=3, to_alarm=2, missing=mode, current=current)
    assert outcome.state == (current if state == RETAIN else state)


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -"])
def test_a_young_breach_does_not_alarm_while_data_is_missing(row: str) -> None:
    assert evaluate(points(row), periods=3, to_alarm=3, missing="missing", current="OK").state == "OK"


def test_the_number_of_filled_points_is_what_the_table_says() -> None:
    filled = {
        row: evaluate(points(row), periods=3, to_alarm=3, missing="missing", current="OK").filled
        for row in THREE_OF_THREE
    }
    assert filled == {"0 - X - X": 0, "0 - - - -": 2, "- - - - -": 3, "0 X X - X": 0, "- - X - -": 2}


def test_a_non_breaching_point_that_leaves_the_range_lets_missing_data_breach() -> None:
    assert evaluate(points("0 - - - -"), periods=3, to_alarm=3, missing="breaching", current="OK").state == "OK"
    assert evaluate(points("- - - - -"), periods=3, to_alarm=3, missing="breaching", current="OK").state == "ALARM"


def test_five_points_are_fetched_for_three() -> None:
    assert evaluation_range(3) == 5


def test_more_are_fetched_for_long_windows() -> None:
    assert [evaluation_range(periods) for periods in (1, 2, 10, 30)] == [3, 4, 13, 40]
