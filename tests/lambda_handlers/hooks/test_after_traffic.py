"""After traffic: the alias answers as the new version and its bake ends well, or the deployment fails; blue_green
waits for the judge."""

import json

import pytest

from serinus.lambda_handlers.hooks import after_traffic
from serinus.lambda_handlers.hooks.after_traffic import respond


@pytest.fixture
def shifted(release):
    """A release whose bake was quiet, and all of whose traffic has moved."""
    release.shift_all()
    for minute in range(-30, 0):
        release.traffic(release.stable, minute, 200, weighted=False, errors=2)
    return release


def bake(release, minutes=15, **canary):
    for minute in range(minutes):
        release.traffic(release.stable, minute, 180, errors=2)
        release.traffic(release.canary, minute, 20, **canary)


def record_objection(release, deployment, reason="errors: 40.0% of the canary's requests"):
    said = {"deployment_id": deployment, "reason": reason}
    release.ssm.values[f"/serinus/{release.function}/objection"] = json.dumps(said)


def report(release):
    result = respond(release.hook_event, release.context)
    assert [one["status"] for one in release.codedeploy.reports] == [result["status"]]
    return result


def verdicts(capsys):
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["message"] == "verdict"]


def test_an_alias_that_answers_as_the_new_version_is_confirmed(shifted):
    bake(shifted)
    assert report(shifted)["status"] == "Succeeded"
    assert {qualifier for qualifier, _ in shifted.functions.events} == {shifted.alias}


def test_an_alias_that_still_answers_as_the_old_version_fails(shifted):
    shifted.functions.answers[shifted.alias] = shifted.functions.answers[shifted.stable]
    assert report(shifted)["status"] == "Failed"


def test_a_blue_green_deployment_is_held_for_the_judge(release):
    release.environ["SERINUS_STRATEGY"] = "blue_green"
    assert respond(release.hook_event, release.context) == {"status": "InProgress"}
    assert not release.codedeploy.reports
    (held,) = release.ssm.values.values()
    assert json.loads(held) == {"deployment_id": release.deployment, "execution_id": "hook-1"}


def test_what_the_judge_objected_to_at_any_time_is_refused(shifted, capsys):
    """Though nothing is to be seen of it any more: a probe that failed, say, and has answered again."""
    bake(shifted)
    record_objection(shifted, shifted.deployment)
    found = report(shifted)
    assert found["status"] == "Failed"
    assert "roll back: errors: 40.0%" in found["reason"]
    (verdict,) = verdicts(capsys)
    assert (verdict["verdict"], verdict["final"]) == ("roll back", True)
    assert (verdict["canary"], verdict["time"]) == (shifted.canary, "2026-11-21T12:15:00+00:00")


def test_an_objection_to_another_deployment_is_none_to_this_one(shifted):
    bake(shifted)
    record_objection(shifted, "d-OLDOLDOLD")
    assert report(shifted)["status"] == "Succeeded"


def test_what_the_stack_writes_at_first_is_no_objection(shifted):
    bake(shifted)
    shifted.ssm.values[f"/serinus/{shifted.function}/objection"] = "{}"
    assert report(shifted)["status"] == "Succeeded"


def test_trouble_that_a_silent_judge_did_not_tell_is_refused(shifted):
    bake(shifted, errors=8)
    found = report(shifted)
    assert (found["status"], "roll back: errors: " in found["reason"]) == ("Failed", True)


@pytest.mark.parametrize(("setting", "status"), [("promote", "Succeeded"), ("roll_back", "Failed")])
def test_a_bake_without_enough_evidence_ends_as_the_setting_says(shifted, setting, status):
    shifted.environ["SERINUS_INCONCLUSIVE"] = setting
    found = report(shifted)
    assert found["status"] == status
    assert ("rolled back because `on_not_enough_evidence" in found["reason"]) == (status == "Failed")


def test_a_linear_shift_is_judged_by_all_of_its_steps(shifted):
    shifted.environ["SERINUS_STRATEGY"] = "linear"
    bake(shifted, errors=8)
    assert report(shifted)["status"] == "Failed"


def test_all_at_once_is_not_judged(shifted):
    shifted.environ |= {"SERINUS_STRATEGY": "all_at_once", "SERINUS_INCONCLUSIVE": "roll_back"}
    assert report(shifted)["status"] == "Succeeded"
    assert shifted.cloudwatch.reads == 0


@pytest.mark.parametrize("service", ["cloudwatch", "ssm"])
@pytest.mark.parametrize("code", ["AccessDenied", "InternalServiceFault"])
def test_a_bake_that_cannot_be_judged_is_refused(shifted, monkeypatch, service, code):
    bake(shifted)
    client = getattr(shifted, service)

    def refuse(**_parameters):
        raise client.error("Get", code)

    monkeypatch.setattr(client, "get_metric_data" if service == "cloudwatch" else "get_parameter", refuse)
    found = report(shifted)
    assert found["status"] == "Failed"
    assert "its bake cannot be judged" in found["reason"]
    assert code in found["reason"]


def test_a_shift_without_a_time_of_its_end_is_judged_to_the_end_of_its_bake(shifted):
    shifted.codedeploy.switched_at = None
    bake(shifted, errors=8)
    assert report(shifted)["status"] == "Failed"


def test_a_shift_of_which_nobody_knows_when_it_began_is_refused(shifted):
    shifted.codedeploy.traffic_at = None
    found = report(shifted)
    assert (found["status"], "cannot be judged" in found["reason"]) == ("Failed", True)


@pytest.mark.parametrize(("minutes", "status"), [(15, "Succeeded"), (0, "Failed")])
def test_a_throttled_alias_is_refused_where_nothing_else_speaks_for_it(shifted, monkeypatch, minutes, status):
    monkeypatch.setattr(after_traffic, "PATIENCE_S", 0.0)
    shifted.functions.answers[shifted.alias] = shifted.functions.throttle
    bake(shifted, minutes)
    assert report(shifted)["status"] == status


def test_a_hook_that_lambda_runs_again_answers_the_same_and_once(shifted):
    bake(shifted, errors=8)
    found = [respond(shifted.hook_event, shifted.context) for _ in range(3)]
    assert found == found[:1] * 3
    assert [one["status"] for one in shifted.codedeploy.reports] == ["Failed"]
