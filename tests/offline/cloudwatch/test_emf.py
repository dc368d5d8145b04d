"""Metrics out of log lines, by the embedded metric format's specification."""

import json
from typing import Any

import pytest

from serinus.offline.services.cloudwatch.emf import InvalidEmf, MetricDatum, extract


def document(**changes: Any) -> dict[str, Any]:
    directive = {
        "Namespace": "lambda-function-metrics",
        "Dimensions": [["functionVersion"]],
        "Metrics": [{"Name": "time", "Unit": "Milliseconds"}],
    }
    directive |= {name: changes.pop(name) for name in list(changes) if name in directive}
    base = {
        "_aws": {"Timestamp": 1574109732004, "CloudWatchMetrics": [directive]},
        "functionVersion": "$LATEST",
        "time": 100,
        "requestId": "989ffbf8-9ace-4817-a57c-e4dd734019ee",
    }
    return base | changes


def test_the_example_of_the_specification() -> None:
    assert extract(json.dumps(document())) == [
        MetricDatum(
            "lambda-function-metrics",
            "time",
            {"functionVersion": "$LATEST"},
            (100.0,),
            "Milliseconds",
            1574109732.004,
        )
    ]


@pytest.mark.parametrize("line", ["{}", "[1]", "no json", '{"_aws": 1}', '{"_aws": {}}', '{"message": "_aws"}'])
def test_other_lines_are_no_emf(line: str) -> None:
    assert extract(line) is None


def test_every_dimension_set_makes_a_metric_and_one_may_be_empty() -> None:
    data = extract(json.dumps(document(Dimensions=[[], ["functionVersion"], ["functionVersion", "a"]], a="b")))
    assert data is not None
    assert [datum.dimensions for datum in data] == [
        {},
        {"functionVersion": "$LATEST"},
        {"functionVersion": "$LATEST", "a": "b"},
    ]


def test_an_array_gives_all_of_its_values() -> None:
    data = extract(json.dumps(document(time=[1, 2.5, 3])))
    assert data is not None
    assert data[0].values == (1.0, 2.5, 3.0)


def test_high_resolution_and_the_default_unit() -> None:
    (datum,) = extract(json.dumps(document(Metrics=[{"Name": "time", "StorageResolution": 1}]))) or []
    assert (datum.resolution_s, datum.unit) == (1, "None")


def test_the_limits_are_inclusive() -> None:
    names = [f"n{place}" for place in range(100)]
    keys = [f"k{place}" for place in range(30)]
    members = {key: list(range(100)) for key in names} | dict.fromkeys(keys, "v")
    data = extract(json.dumps(document(Metrics=[{"Name": name} for name in names], Dimensions=[keys], **members)))
    assert data is not None
    assert len(data) == 100


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Metrics": [{"Name": "time"}] * 101}, "101 metrics"),
        ({"Dimensions": [[f"k{place}" for place in range(31)]]}, "31 names"),
        ({"time": list(range(101))}, "101 values"),
        ({"time": "fast"}, "'fast'"),
        ({"time": True}, "True"),
        ({"time": {"nested": 1}}, "nested"),
        ({"Metrics": [{"Name": "A.a"}], "A": {"a": 1}}, "'A.a'"),
        ({"functionVersion": 7}, "'functionVersion'"),
        ({"functionVersion": "x" * 1025}, "1025 characters"),
        ({"Dimensions": [["absent"]]}, "'absent'"),
        ({"Dimensions": []}, "at least one"),
        ({"Namespace": ""}, "Namespace"),
        ({"Metrics": [{"Unit": "Count"}]}, "Name"),
        ({"Metrics": [{"Name": "time", "Unit": "Furlongs"}]}, "Furlongs"),
        ({"Metrics": [{"Name": "time", "StorageResolution": 5}]}, "5"),
        ({"_aws": {"CloudWatchMetrics": []}}, "Timestamp"),
        ({"_aws": {"Timestamp": 1, "CloudWatchMetrics": {}}}, "array"),
    ],
)
def test_what_breaks_the_specification_gives_nothing(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidEmf, match=complaint):
        extract(json.dumps(document(**changes)))
