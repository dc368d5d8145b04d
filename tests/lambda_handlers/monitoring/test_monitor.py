"""The monitor over hours and days: what it finds, and what must not disturb it."""

import json

import pytest

from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.monitored import Limit
from serinus.lambda_handlers.monitoring import store as stores
from serinus.lambda_handlers.monitoring.collector import collect
from serinus.lambda_handlers.monitoring.store import WrittenMeanwhile


def test_traffic_like_the_reference_is_no_finding(endpoint):
    report = endpoint.live(range(48))
    assert report["findings"] == []
    assert report["title"] == f"{endpoint.function}: nothing differs from the reference"
    assert report["baselines"][0]["rows"] == 24 * 1200
    assert not endpoint.bus.details


def test_drift_is_found_by_the_right_column_published_once_and_ends(endpoint):
    endpoint.live(range(24))
    report = endpoint.live(range(24, 60), shift=0.15)
    (finding,) = report["findings"]
    assert (finding["kind"], finding["column"], finding["named"]) == ("drift", "age", True)
    assert "age" in report["title"]
    assert finding["before"] == pytest.approx(finding["now"] + 0.15, abs=0.1) or finding["stream"] == "mean rank"
    assert [len(detail["began"]) for detail in endpoint.bus.details] == [1]
    report = endpoint.live(range(60, 60 + 24 * 5))
    assert report["findings"] == []
    assert [len(detail["ended"]) for detail in endpoint.bus.details] == [0, 1]


def test_refused_requests_are_a_finding_of_their_own(endpoint):
    report = endpoint.live(range(30), refused=30)
    assert [finding["kind"] for finding in report["findings"]] == ["refused requests"]
    assert "30.0% of the last day's requests were refused" in report["text"]


@pytest.mark.parametrize(("allowed", "broken"), [(0.0, True), (0.02, True), (0.2, False)])
def test_a_constraint_that_a_person_wrote_is_held_against_each_hour(endpoint, allowed, broken):
    limited = endpoint.age._replace(limits=(Limit("outside", (3, 4), allowed),))
    monitored = endpoint.monitored._replace(columns=(limited, *endpoint.monitored.columns[1:]))
    endpoint.store.put_reference(endpoint.function, endpoint.monitored.id, 1, {"reference": monitored.to_json()})
    line = endpoint.draw(0)
    endpoint.collect(line._replace(counts=(*line.counts[:4], 60, *line.counts[5:])))
    report = endpoint.look(0)
    assert [finding["kind"] for finding in report["findings"]] == ["constraint"] * broken
    if broken:
        assert (
            f"10.00% of an hour's values break the constraint outside, which allows {allowed:.2%}"
            in report["text"]
        )
    endpoint.collect(endpoint.draw(1))
    assert endpoint.look(1)["findings"] == []


def test_an_output_that_is_named_like_an_input_is_told_from_it(endpoint):
    monitored = endpoint.monitored
    twin = monitored.columns[2]._replace(name="age", bands=((0.48, 0.52), (0.0, 0.01), (0.0, 0.01), (0.0, 0.01)))
    named_alike = monitored._replace(columns=(*monitored.columns[:2], twin))
    collect({"reference": named_alike.to_json(), "function": endpoint.function}, endpoint.store)
    for hour in range(26):
        lines = [endpoint.draw(hour, 100, minute=5 * block) for block in range(12)]
        alike = [line._replace(baseline=named_alike.id, counts=(*line.counts[:10], 90, 0, 0, 0)) for line in lines]
        endpoint.collect(*alike)
        report = endpoint.look(hour)
    assert [(finding["column"], finding["role"]) for finding in report["findings"]] == [
        ("prediction age", "output")
    ]
    columns = [column["column"] for column in report["baselines"][0]["columns"]]
    assert columns == ["age", "plan", "prediction age"]


def test_a_column_that_is_ignored_is_counted_and_not_tested(endpoint):
    endpoint.settings = {"ignore": ["age"]}
    report = endpoint.live(range(30), shift=0.3)
    assert report["findings"] == []
    columns = {column["column"]: column["tested"] for column in report["baselines"][0]["columns"]}
    assert columns == {"age": False, "plan": True, "probabilities of True": False}


def test_a_look_that_is_repeated_changes_nothing(endpoint):
    endpoint.live(range(3))
    before = endpoint.store.get_state(endpoint.function)
    endpoint.look(2)
    assert endpoint.store.get_state(endpoint.function) == before


def test_a_batch_that_is_delivered_again_counts_once(endpoint):
    lines = [endpoint.draw(0) for _ in range(3)]
    endpoint.collect(*lines)
    endpoint.collect(*lines)
    assert endpoint.look(0)["baselines"][0]["rows"] == 1800
    endpoint.collect(*lines)
    assert endpoint.look(1)["baselines"][0]["rows"] == 1800


def test_late_lines_count_in_the_next_look_and_are_reported(endpoint):
    endpoint.collect(endpoint.draw(0))
    late = endpoint.draw(0, 50)
    endpoint.look(0)
    endpoint.collect(late, endpoint.draw(1))
    report = endpoint.look(1)
    assert (report["late_rows"], report["baselines"][0]["rows"]) == (50, 1250)


def test_lines_of_an_hour_that_has_not_ended_wait_for_their_look(endpoint):
    endpoint.collect(endpoint.draw(0), endpoint.draw(1, 70))
    assert endpoint.look(0)["baselines"][0]["rows"] == 600
    assert endpoint.look(1)["baselines"][0]["rows"] == 670


def test_hours_in_which_the_monitor_was_away_are_looked_at_later_in_order(endpoint, monkeypatch):
    endpoint.live(range(2))
    for hour in range(2, 9):
        endpoint.collect(endpoint.draw(hour))
    report = endpoint.look(8)
    hours = [item[0] - endpoint.start for item in endpoint.store.get_state(endpoint.function).data["coverage"]]
    assert hours == list(range(9))
    assert report["baselines"][0]["rows"] == 2 * 1200 + 7 * 600


def test_a_crash_before_the_state_is_written_repeats_the_look(endpoint, monkeypatch):
    endpoint.live(range(2))
    endpoint.collect(endpoint.draw(2))
    with monkeypatch.context() as broken:
        broken.setattr(stores.Store, "put_state", lambda *_: (_ for _ in ()).throw(OSError("cut off")))
        with pytest.raises(RuntimeError, match=endpoint.function):
            endpoint.look(2)
    report = endpoint.look(2)
    assert report["baselines"][0]["rows"] == 2 * 1200 + 600


def test_a_state_that_another_run_wrote_is_kept(endpoint):
    endpoint.live(range(1))
    stale = endpoint.store.get_state(endpoint.function)
    endpoint.live(range(1, 2))
    with pytest.raises(WrittenMeanwhile):
        endpoint.store.put_state(endpoint.function, {"hour": 0}, stale)
    with pytest.raises(WrittenMeanwhile):
        endpoint.store.put_state(endpoint.function, {"hour": 0}, None)
    assert endpoint.store.get_state(endpoint.function).data["hour"] == endpoint.start + 1


def test_requests_that_no_line_accounts_for_are_a_finding(endpoint):
    for hour in range(3):
        endpoint.metrics.invoked[endpoint.start + hour] = 1000
        endpoint.collect(endpoint.draw(hour, 600))
        report = endpoint.look(hour)
    (finding,) = report["findings"]
    assert (finding["kind"], finding["now"]) == ("coverage", 0.6)
    assert report["coverage"] == {"counted": 1800, "invoked": 3000}


def test_a_baseline_without_a_reference_is_a_finding(endpoint):
    line = endpoint.draw(0)._replace(baseline="deadbeef")
    endpoint.collect(line)
    report = endpoint.look(0)
    assert [finding["kind"] for finding in report["findings"]] == ["reference"]
    assert "deploy the endpoint again" in report["text"]


def test_an_accepted_reference_begins_evidence_anew(endpoint):
    endpoint.live(range(24))
    report = endpoint.live(range(24, 50), shift=0.15)
    assert report["findings"]
    moved = endpoint.age._replace(
        counts=(1500, 4500, 0, 0, 0),
        bands=((0.13, 0.17), (0.43, 0.47), (0.0, 0.01), (0.0, 0.01), (0.0, 0.01), (0.28, 0.32)),
    )
    accepted = endpoint.monitored._replace(columns=(moved, *endpoint.monitored.columns[1:]))
    endpoint.store.put_reference(endpoint.function, endpoint.monitored.id, 1, {"reference": accepted.to_json()})
    assert endpoint.live(range(50, 80), shift=0.15)["findings"] == []


@pytest.mark.parametrize(
    "message",
    ["", "not JSON", "[]", "{}", '{"Profile": 1}', json.dumps({"Profile": 1, "FunctionName": "../x"})],
)
def test_a_damaged_line_is_left_out_alone(endpoint, message):
    good = json.dumps(endpoint.draw(0).to_json())
    assert endpoint.deliver([message, good]) == {"kept": 1, "damaged": 1}
    assert endpoint.look(0)["baselines"][0]["rows"] == 600


@pytest.mark.parametrize(
    "change",
    [
        {"Rows": -1},
        {"Rows": 1.5},
        {"Counts": [1, "2"]},
        {"Since": float("inf")},
        {"FunctionName": "a/b"},
        {"Baseline": "../../state"},
        {"Until": 0},
    ],
)
def test_a_line_with_impossible_values_is_left_out(endpoint, change):
    assert endpoint.deliver([json.dumps(endpoint.draw(0).to_json() | change)]) == {"kept": 0, "damaged": 1}


def test_a_line_with_another_number_of_streams_is_left_out(endpoint):
    endpoint.collect(endpoint.draw(0), endpoint.draw(0)._replace(counts=(1, 2)))
    assert endpoint.look(0)["baselines"][0]["rows"] == 600


def test_what_is_no_reference_is_rejected(endpoint):
    with pytest.raises(ContractError, match="damaged"):
        collect({"reference": {"id": "x"}, "function": endpoint.function}, endpoint.store)
    with pytest.raises(ContractError, match="not the name"):
        collect({"reference": endpoint.monitored.to_json(), "function": "a/b"}, endpoint.store)
    assert (
        collect({"reference": endpoint.monitored.to_json(), "function": endpoint.function}, endpoint.store)["kept"]
        == 0
    )


def test_an_endpoint_whose_look_fails_leaves_the_others_theirs(endpoint):
    endpoint.collect(endpoint.draw(0))
    endpoint.s3.put_object(Bucket="shop-prod-shared-monitor", Key="state/shop-prod-bad.json", Body=b"broken")
    context = endpoint.context
    functions = json.dumps({"shop-prod-bad": {}, endpoint.function: {}})
    broken = type(context)(
        context.store, context.cloudwatch, context.events, {**context.environ, "SERINUS_MONITORED": functions}
    )
    from serinus.lambda_handlers.monitoring.monitor import monitor

    with pytest.raises(RuntimeError, match="shop-prod-bad failed"):
        monitor({"time": "2026-11-02T01:10:00+00:00"}, broken)
    assert endpoint.report()["baselines"][0]["rows"] == 600
