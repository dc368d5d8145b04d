"""Metric math against the examples of AWS's page, and the corners that alarms rest on."""

import pytest

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.cloudwatch.math_syntax import MathError
from serinus.offline.services.cloudwatch.metric_math import MathScope, check, compute
from serinus.offline.services.cloudwatch.time_series import Grid, TimeSeries

MINUTE = 60


def series(*values: float | None, name: str = "m") -> TimeSeries:
    known = {place * MINUTE: value for place, value in enumerate(values) if value is not None}
    return TimeSeries(known, MINUTE, name, name)


def result(expression: str, **metrics: TimeSeries) -> list[float | None]:
    """The values of the single resulting time series over the longest metric's periods."""
    (one,) = results(expression, **metrics)
    return one


def results(expression: str, **metrics: TimeSeries) -> list[list[float | None]]:
    periods = 5
    scope = MathScope(metrics.__getitem__, metrics, Grid(0, periods * MINUTE, MINUTE))
    return [[one.points.get(place * MINUTE) for place in range(periods)] for one in compute(expression, scope)]


METRIC1, METRIC2 = series(30, 20, 0, 0), series(20, None, 20, None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("metric1 < metric2", [0, 0, 1, 0, None]),
        ("metric1 >= 30", [1, 0, 0, 0, None]),
        ("metric1 > 15 AND metric2 > 15", [1, 0, 0, 0, None]),
        ("metric1 > 15 && metric2 > 15", [1, 0, 0, 0, None]),
    ],
)
def test_comparisons_are_those_of_the_page(expression: str, expected: list[float | None]) -> None:
    assert result(expression, metric1=METRIC1, metric2=METRIC2) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
        ("IF(1, metric2, metric3)", [30, None, 0, 0, 30]),
        ("IF(0, metric2)", [None, None, None, None, None]),
    ],
)
def test_if_is_that_of_the_page(expression: str, expected: list[float | None]) -> None:
    metrics = {
        "metric1": series(1, 1, 0, 0, None),
        "metric2": series(30, None, 0, 0, 30),
        "metric3": series(0, 0, 20, None, 20),
    }
    assert result(expression, **metrics) == expected


def test_missing_values_count_as_zero_and_division_by_zero_is_dropped() -> None:
    errors, requests = series(1, None, 3, None), series(2, 4, None, 0)
    assert result("100 * errors / requests", errors=errors, requests=requests) == [50, 0, None, None, None]


def test_precedence_and_unary_minus() -> None:
    assert result("-m1 + 2 * 3 ^ 2 / 6 - (1 - m1)", m1=series(5)) == [2, None, None, None, None]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("FILL(m1, 7)", [1, 7, 3, 7, 7]),
        ("FILL(m1, REPEAT)", [1, 1, 3, 3, 3]),
        ("FILL(m1, LINEAR)", [1, 2, 3, None, None]),
        ("FILL(m1, m2)", [1, 9, 3, None, None]),
        ("FILL(m1, MAX(m1))", [1, 3, 3, 3, 3]),
    ],
)
def test_fill_knows_its_fillers(expression: str, expected: list[float | None]) -> None:
    assert result(expression, m1=series(1, None, 3), m2=series(None, 9)) == expected


def test_fill_makes_a_series_where_there_is_no_data_at_all() -> None:
    assert result("FILL(m1, 0)", m1=series()) == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SUM([m1, m2])", [5, 2, 6, None, None]),
        ("AVG(METRICS())", [2.5, 1, 3, None, None]),
        ("MIN([m1, m2])", [1, 2, 6, None, None]),
        ("MAX([m1, m2])", [4, 2, 6, None, None]),
        ("m1 - AVG(m1)", [-0.5, 0.5, None, None, None]),
        ("m1 / SUM(m1)", [1 / 3, 2 / 3, None, None, None]),
        ("TIME_SERIES(MAX(m2))", [6, 6, 6, 6, 6]),
        ("m2 / METRIC_COUNT(METRICS())", [2, None, 3, None, None]),
        ("m2 / PERIOD(m2)", [4 / 60, None, 0.1, None, None]),
        ("m2 + DATAPOINT_COUNT(m2)", [6, None, 8, None, None]),
    ],
)
def test_aggregates_over_a_series_and_over_arrays(expression: str, expected: list[float | None]) -> None:
    assert result(expression, m1=series(1, 2), m2=series(4, None, 6)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("DIFF(m1)", [None, 60, None, -30, None]),
        ("RATE(m1)", [None, 1, None, -0.25, None]),
        ("DIFF_TIME(m1)", [None, 60, None, 120, None]),
        ("RUNNING_SUM(m1)", [60, 180, None, 270, None]),
        ("ABS(-m1)", [60, 120, None, 90, None]),
        ("CEIL(m1 / 50)", [2, 3, None, 2, None]),
        ("FLOOR(m1 / 50)", [1, 2, None, 1, None]),
        ("MINUTE(m1)", [0, 1, 2, 3, 4]),
        ("EPOCH(m1)", [0, 60, 120, 180, 240]),
    ],
)
def test_functions_of_one_series(expression: str, expected: list[float | None]) -> None:
    assert result(expression, m1=series(60, 120, None, 90)) == expected


def test_metrics_chooses_by_what_ids_contain() -> None:
    metrics = {"errors1": series(1), "errors2": series(2), "requests": series(30)}
    assert result('SUM(METRICS("errors")) / SUM(METRICS("requests")) * 100', **metrics)[0] == pytest.approx(10)


def test_an_array_gives_a_series_each_and_sort_and_slice_choose() -> None:
    metrics = {"m1": series(1), "m2": series(3), "m3": series(2)}
    assert [one[0] for one in results("METRICS() * 10", **metrics)] == [10, 30, 20]
    assert [one[0] for one in results("SORT(METRICS(), MAX, DESC, 2)", **metrics)] == [3, 2]
    assert [one[0] for one in results("SLICE(SORT(METRICS(), SUM, ASC), 1)", **metrics)] == [2, 3]
    assert result("FIRST(SORT(METRICS(), AVG, DESC))", **metrics)[0] == 3


@pytest.mark.parametrize(
    "name", ["SEARCH('{a} b', 'Sum', 60)", "ANOMALY_DETECTION_BAND(m1, 2)", "SERVICE_QUOTA(m1)"]
)
def test_what_is_not_modelled_is_refused_by_name(name: str) -> None:
    with pytest.raises(NotModelled, match=name.split("(")[0]):
        check(name)


@pytest.mark.parametrize(
    "expression", ["", "m1 +", "(m1", "sum(m1)", "m1 $ 2", "IF(m1)", "[m1", "5 + 5", "AVG(m1)"]
)
def test_what_is_not_metric_math_is_an_error(expression: str) -> None:
    with pytest.raises(MathError):
        results(expression, m1=series(1))
