"""The judge's minute: from CodeDeploy's word and CloudWatch's numbers to a verdict that alarms and people hear."""

import json
import sys

import pytest
from botocore.exceptions import ClientError

from serinus.lambda_handlers.contract.release import LAST_WORD_MINUTES
from serinus.lambda_handlers.hooks.errors import BadDeployment, IncompleteMetrics
from serinus.lambda_handlers.hooks.judge import judge_rollout


def serve_traffic(release, minutes, *, weighted=True, **canary):
    for minute in range(-60, 0):
        release.traffic(release.stable, minute, 200, weighted=False, errors=2, inits_ms=[90.0] * (minute == -30))
    for minute in range(minutes):
        release.traffic(release.stable, minute, 180, errors=2)
        release.traffic(release.canary, minute, 20, **canary)


def test_nothing_is_said_while_nothing_is_rolled_out(release):
    release.codedeploy.in_progress = False
    assert judge_rollout(release.event_at(3), release.context) == {"verdict": None}
    assert not release.cloudwatch.put


@pytest.mark.parametrize(
    "state",
    [{"rollback": True}, {"creator": "CloudFormationRollback"}, {"traffic_at": None}, {"switched_at": 1.0}],
    ids=["rollback", "rollback by CloudFormation", "before", "after"],
)
def test_nothing_is_said_of_a_rollback_or_outside_of_the_shift(release, state):
    for name, value in state.items():
        setattr(release.codedeploy, name, value)
    assert judge_rollout(release.event_at(3), release.context) == {"verdict": None}
    assert not release.events.entries
    assert not [one for one in published(release) if "FunctionVersion" in one["dimensions"]]


@pytest.mark.parametrize(
    "state", [{"rollback": True}, {"creator": "CloudFormationRollback"}, {"versions": ("7", "6")}], ids=str
)
def test_the_judge_shows_that_it_runs_while_traffic_returns(release, state):
    """Where AWS shifts traffic back step by step, silence would fire the old version's alarm and stop it."""
    for name, value in state.items():
        setattr(release.codedeploy, name, value)
    judge_rollout(release.event_at(3), release.context)
    assert published(release) == [{"dimensions": {"FunctionName": release.function}, "value": 0.0}]


def published(release):
    """The metric's data points: dimensions and value."""
    return [
        {
            "dimensions": {one["Name"]: one["Value"] for one in datum["Dimensions"]},
            "value": datum["Value"],
        }
        for put in release.cloudwatch.put
        for datum in put["MetricData"]
    ]


def test_a_healthy_canary_is_promoted_by_metric_event_and_log(release, capsys):
    serve_traffic(release, 8)
    found = judge_rollout(release.event_at(8), release.context)
    assert found["verdict"] == "promote"
    metric = release.cloudwatch.put[0]
    assert metric["Namespace"] == "Serinus"
    assert metric["MetricData"][0]["Value"] == 1.0
    assert metric["MetricData"][0]["Timestamp"].timestamp() == release.start + 8 * 60 + 20
    by_version, by_function = (
        {one["Name"]: one["Value"] for one in datum["Dimensions"]} for datum in metric["MetricData"]
    )
    assert by_version == {"FunctionName": release.function, "FunctionVersion": release.canary}
    assert by_function == {"FunctionName": release.function}
    entry = release.events.entries[0]
    assert json.loads(entry["Detail"])["verdict"] == "promote"
    assert json.loads(capsys.readouterr().out)["message"] == "verdict"


@pytest.mark.parametrize(
    ("canary", "signal"),
    [
        ({"errors": 8}, "errors"),
        ({"crashes": 8}, "errors"),
        ({"rejected": 10}, "rejected inputs"),
        ({"non_finite": 6}, "non-finite predictions"),
        ({"duration_ms": 300.0}, "slow responses"),
        ({"inits_ms": [3000.0, 3000.0]}, "slow cold starts"),
    ],
)
def test_each_kind_of_trouble_rolls_back(release, canary, signal):
    serve_traffic(release, 12, **canary)
    found = judge_rollout(release.event_at(13), release.context)
    assert found["verdict"] == "roll back"
    assert found["reason"].startswith(signal)
    assert release.cloudwatch.put[0]["MetricData"][0]["Value"] == -1.0


def test_predictions_that_collapse_to_one_class_roll_back(release):
    for minute in range(8):
        release.traffic(release.stable, minute, 180, predictions=[1.0] * 150 + [2.0] * 30)
        release.traffic(release.canary, minute, 20, predictions=[2.0] * 20)
    found = judge_rollout(release.event_at(9), release.context)
    assert found["verdict"] == "roll back"
    assert found["reason"].startswith("a different distribution of predictions")


@pytest.mark.parametrize("minutes", [3, 60])
def test_an_hour_or_the_few_minutes_there_were_show_what_is_slow(release, minutes):
    for minute in range(-minutes, 0):
        release.traffic(release.stable, minute, 200, weighted=False)
    for minute in range(8):
        release.traffic(release.stable, minute, 180)
        release.traffic(release.canary, minute, 20, duration_ms=60.0)
    assert judge_rollout(release.event_at(9), release.context)["reason"].startswith("slow responses")


@pytest.mark.parametrize("new", [{"inits_ms": [90.0] * 8}, {"first": 8}], ids=["init", "snapshot"])
def test_first_responses_of_new_environments_may_be_slow(release, new):
    serve_traffic(release, 12)
    for minute in range(12):
        at_ = {"FunctionName": release.function, "Resource": f"{release.function}:{release.alias}"}
        slow = at_ | {"ExecutedVersion": release.canary}
        release.cloudwatch.add("AWS/Lambda", "Duration", slow, release.start + 60 * minute + 5, [900.0] * 8)
        release.traffic(release.canary, minute, 0, **new)
    assert judge_rollout(release.event_at(13), release.context)["verdict"] == "promote"


@pytest.mark.parametrize("state", ["InternalError", "PartialData", "Forbidden"])
def test_metrics_of_which_a_part_is_missing_are_no_verdict(release, monkeypatch, state):
    serve_traffic(release, 12, errors=8)
    whole = release.cloudwatch.get_metric_data

    def partly(**parameters):
        page = whole(**parameters)
        page["MetricDataResults"][0]["StatusCode"] = state if "NextToken" not in page else "PartialData"
        return page

    monkeypatch.setattr(release.cloudwatch, "get_metric_data", partly)
    with pytest.raises(IncompleteMetrics, match=state):
        judge_rollout(release.event_at(13), release.context)
    assert not release.cloudwatch.put


def test_predictions_counted_in_other_bins_are_not_compared(release):
    """A model trained again on drifted data, whose bins are its own: the counts mean different things."""
    for minute in range(8):
        release.traffic(release.stable, minute, 180, predictions=[1.0] * 150 + [2.0] * 30, bins="00000000")
        release.traffic(release.canary, minute, 20, predictions=[2.0] * 20)
    found = judge_rollout(release.event_at(9), release.context)
    assert found["verdict"] == "promote"
    predictions = next(one for one in found["findings"] if one["signal"] == "predictions")
    assert (predictions["stable_share"], predictions["evidence"]) == (None, pytest.approx(1.0))


def test_only_minutes_whose_metrics_are_complete_count(release):
    serve_traffic(release, 5)
    assert judge_rollout(release.event_at(5, 0), release.context)["canary_requests"] == 60
    release.environ["SERINUS_SETTLE_S"] = "0"
    assert judge_rollout(release.event_at(5, 0), release.context)["canary_requests"] == 100


def test_the_old_versions_trouble_does_not_block_its_mend(release):
    for minute in range(8):
        release.traffic(release.stable, minute, 180, crashes=120)
        release.traffic(release.canary, minute, 20)
    assert judge_rollout(release.event_at(9), release.context)["verdict"] == "promote"


def test_a_probe_that_answers_wrongly_rolls_back_without_traffic(release, sum_bundle, serve):
    release.functions.answers[release.canary] = serve(sum_bundle("another"), release.canary)
    found = judge_rollout(release.event_at(1), release.context)
    assert (found["verdict"], found["final"]) == ("roll back", True)
    assert found["reason"].startswith("golden requests failed")


def test_a_throttled_probe_says_nothing(release):
    release.functions.answers[release.canary] = release.functions.throttle
    serve_traffic(release, 8)
    found = judge_rollout(release.event_at(9), release.context)
    assert found["verdict"] == "promote"
    assert found["probe"] == "unknown"


def test_probes_go_round_the_golden_set(release):
    release.environ["SERINUS_MAX_ROWS"] = "3"
    for minute in range(3):
        judge_rollout(release.event_at(minute), release.context)
    sent = [tuple(row["a"] for row in json.loads(event["body"])["rows"]) for _, event in release.functions.events]
    assert len(set(sent)) == 3
    assert len({row for rows in sent for row in rows}) == 8


def test_too_little_traffic_is_not_enough_evidence_until_the_last_word(release):
    early, last = (judge_rollout(release.event_at(minute), release.context) for minute in (9, 10))
    assert [(one["verdict"], one["final"]) for one in (early, last)] == [
        ("not enough evidence", False),
        ("not enough evidence", True),
    ]
    assert "promoted because `on_not_enough_evidence" in last["reason"]


def test_the_last_word_comes_in_time_to_stop_the_deployment(release):
    release.environ["SERINUS_INCONCLUSIVE"] = "roll_back"
    assert judge_rollout(release.event_at(9), release.context)["verdict"] == "not enough evidence"
    assert judge_rollout(release.event_at(15 - LAST_WORD_MINUTES), release.context)["verdict"] == "roll back"


@pytest.mark.parametrize(("bake", "minute"), [(4, 2), (6, 3), (9, 5), (10, 5), (30, 25)])
def test_a_bake_that_is_short_is_judged_for_half_of_it_at_least(release, bake, minute):
    release.environ |= {"SERINUS_INCONCLUSIVE": "roll_back", "SERINUS_BAKE_MINUTES": str(bake)}
    assert judge_rollout(release.event_at(minute - 1), release.context)["verdict"] == "not enough evidence"
    assert judge_rollout(release.event_at(minute), release.context)["verdict"] == "roll back"


def test_the_last_word_is_told_once_though_it_is_looked_at_again(release):
    found = [judge_rollout(release.event_at(minute), release.context) for minute in range(15)]
    assert [minute for minute, one in enumerate(found) if one["final"]] == [10]
    assert all("promoted because `on_not_enough_evidence" in one["reason"] for one in found[10:])


def test_after_the_last_word_trouble_still_rolls_back(release):
    serve_traffic(release, 10)
    assert judge_rollout(release.event_at(11), release.context)["verdict"] == "promote"
    for minute in range(10, 13):
        release.traffic(release.stable, minute, 180, errors=2)
        release.traffic(release.canary, minute, 20, errors=18)
    found = judge_rollout(release.event_at(14), release.context)
    assert (found["verdict"], found["final"]) == ("roll back", True)


def test_what_is_to_be_rolled_back_is_left_for_the_hook_after_traffic(release):
    serve_traffic(release, 8)
    assert judge_rollout(release.event_at(8), release.context)["verdict"] == "promote"
    assert not release.ssm.values
    release.functions.answers[release.canary] = lambda _event: {"errorMessage": "gone"}
    found = judge_rollout(release.event_at(8), release.context)
    left = json.loads(release.ssm.values[f"/serinus/{release.function}/objection"])
    assert left == {"deployment_id": release.deployment, "reason": found["reason"]}


def test_a_long_reason_fits_into_the_parameter(release):
    release.functions.answers[release.canary] = lambda _event: {"errorMessage": "\u00e4" * 5000}
    judge_rollout(release.event_at(8), release.context)
    (value,) = release.ssm.values.values()
    assert len(value.encode()) <= 4096


def test_a_verdict_reaches_the_alarm_though_it_cannot_be_left_and_the_other_way_round(release, monkeypatch):
    serve_traffic(release, 6, errors=8)

    def refuse(**_parameters):
        raise release.ssm.error("Put", "InternalServerError")

    with monkeypatch.context() as patched:
        patched.setattr(release.ssm, "put_parameter", refuse)
        with pytest.raises(ClientError):
            judge_rollout(release.event_at(7), release.context)
    assert release.cloudwatch.put[0]["MetricData"][0]["Value"] == -1.0
    monkeypatch.setattr(release.cloudwatch, "put_metric_data", refuse)
    with pytest.raises(ClientError):
        judge_rollout(release.event_at(7), release.context)
    assert len(release.ssm.values) == 1


def test_a_judge_that_cannot_be_loaded_rolls_back(release, monkeypatch):
    """Its layers are those of the new version."""
    monkeypatch.setitem(sys.modules, "serinus.lambda_handlers.hooks.review", None)
    found = judge_rollout(release.event_at(1), release.context)
    assert (found["verdict"], found["final"]) == ("roll back", True)
    assert found["reason"].startswith("the judge cannot be loaded with the new version's layers: ")
    assert release.cloudwatch.put[0]["MetricData"][0]["Value"] == -1.0
    assert len(release.ssm.values) == 1


def test_a_judge_that_cannot_be_loaded_says_nothing_while_nothing_is_rolled_out(release, monkeypatch):
    monkeypatch.setitem(sys.modules, "serinus.lambda_handlers.hooks.review", None)
    release.codedeploy.in_progress = False
    assert judge_rollout(release.event_at(1), release.context) == {"verdict": None}


def test_looking_again_comes_to_the_same_verdict_which_is_final_once(release):
    serve_traffic(release, 6, errors=8)
    first, second = (judge_rollout(release.event_at(7), release.context) for _ in range(2))
    assert (first["final"], second["final"]) == (True, False)
    assert {**first, "final": None} == {**second, "final": None}


def test_a_rollback_that_takes_minutes_is_final_once_whatever_is_due_meanwhile(release):
    serve_traffic(release, 15, errors=8)
    found = [judge_rollout(release.event_at(minute), release.context) for minute in range(7, 15)]
    assert {one["verdict"] for one in found} == {"roll back"}
    assert [one["final"] for one in found] == [True] + [False] * 7
    assert json.loads(release.events.entries[0]["Detail"])["final"]


def test_a_decision_whose_forerunner_cannot_be_read_is_final(release, monkeypatch):
    """One mail too many, rather than none, and the objection is left all the same."""
    serve_traffic(release, 6, errors=8)

    def refuse(**_parameters):
        raise release.ssm.error("GetParameter", "AccessDeniedException")

    monkeypatch.setattr(release.ssm, "get_parameter", refuse)
    assert judge_rollout(release.event_at(7), release.context)["final"]
    assert len(release.ssm.values) == 1


@pytest.mark.parametrize(
    ("weight", "percent"), [(0.1, 10), (10.0, 10), (1.0, 1), (99.0, 99), (0.5, 50), (50.0, 50), (0.01, 1)]
)
def test_codedeploys_weight_may_be_a_fraction_or_a_percentage(release, weight, percent):
    release.codedeploy.weight = weight
    assert judge_rollout(release.event_at(3), release.context)["weight_percent"] == percent


@pytest.mark.parametrize("form", ["json", "yaml", "arn", "raw string"])
def test_versions_that_the_target_does_not_name_are_those_of_the_appspec(release, form):
    serve_traffic(release, 8)
    release.codedeploy.app_spec_form = form
    found = judge_rollout(release.event_at(8), release.context)
    assert (found["verdict"], found["stable"], found["canary"]) == ("promote", release.stable, release.canary)


def test_a_deployment_that_names_its_versions_nowhere_is_refused_in_words(release):
    release.codedeploy.app_spec_form = "none"
    with pytest.raises(BadDeployment, match="names Name, Alias, CurrentVersion, TargetVersion"):
        judge_rollout(release.event_at(8), release.context)
