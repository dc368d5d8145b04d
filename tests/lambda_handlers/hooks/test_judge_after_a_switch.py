"""The judge's minute where versions did not serve side by side: after a switch, and by what came before."""

import json

import numpy as np
import pytest

from serinus.lambda_handlers.hooks.judge import judge_rollout


@pytest.mark.parametrize("weight", [1.0, 100.0])
def test_all_traffic_is_all_of_it_either_way(switched, weight):
    switched.codedeploy.weight = weight
    assert judge_rollout(switched.event_at(3), switched.context)["weight_percent"] == 100


def test_a_switched_release_is_decided_once(switched):
    for minute in range(6):
        switched.traffic(switched.canary, minute, 200, weighted=False, errors=30)
    found = [judge_rollout(switched.event_at(minute), switched.context) for minute in (6, 7)]
    assert [(one["verdict"], one["final"]) for one in found] == [("roll back", True), ("roll back", False)]


def test_a_switched_version_is_compared_with_the_time_before(switched):
    for minute in range(6):
        switched.traffic(switched.canary, minute, 200, weighted=False, errors=30)
    found = judge_rollout(switched.event_at(6), switched.context)
    assert found["verdict"] == "roll back"
    assert switched.codedeploy.reports == [
        {"deploymentId": switched.deployment, "lifecycleEventHookExecutionId": "hook-2", "status": "Failed"}
    ]
    assert not switched.ssm.values


def test_each_minute_after_a_switch_is_held_against_four_before_it(switched):
    for minute in range(2):
        switched.traffic(switched.canary, minute, 100, weighted=False)
    found = judge_rollout(switched.event_at(4), switched.context)
    assert (found["canary_requests"], found["stable_requests"]) == (200, 2 * 4 * 200)


@pytest.mark.parametrize(("before", "verdict"), [(30, "roll back"), (3, "not enough evidence")])
def test_a_switched_version_is_judged_by_what_came_before(switched, before, verdict):
    switched.cloudwatch.samples.clear()
    for minute in range(-before, 0):
        switched.traffic(switched.stable, minute, 200, weighted=False, errors=2)
    for minute in range(9):
        switched.traffic(switched.canary, minute, 200, weighted=False, errors=20)
    assert judge_rollout(switched.event_at(9), switched.context)["verdict"] == verdict


def test_minutes_in_which_another_version_was_live_are_not_the_stable_versions(switched):
    """It reports no errors of theirs, though it failed no less: twenty minutes ago it replaced another version."""
    switched.cloudwatch.samples.clear()
    for minute in range(-240, 0):
        version = "5" if minute < -20 else switched.stable
        switched.traffic(version, minute, 200, weighted=False, errors=10)
    for minute in range(14):
        switched.traffic(switched.canary, minute, 200, weighted=False, errors=10)
    assert judge_rollout(switched.event_at(16), switched.context)["verdict"] != "roll back"


@pytest.mark.parametrize("crashes", [10, 20])
def test_an_earlier_canary_that_crashed_tells_nothing_of_the_stable_version(release, crashes):
    """It had a tenth of the requests, half an hour before; then, in its last minute, all of them."""
    release.cloudwatch.samples.clear()
    for minute in range(-240, 0):
        earlier = minute in range(-30, -20)
        release.traffic(release.stable, minute, 180 if earlier else 200, weighted=earlier)
        if earlier:
            release.traffic("5", minute, 20, crashes=crashes)
    release.traffic("5", -20, 200, weighted=False, crashes=200)
    for minute in range(12):
        release.traffic(release.stable, minute, 180)
        release.traffic(release.canary, minute, 20)
    found = judge_rollout(release.event_at(14), release.context)
    assert (found["verdict"], found["stable_requests"]) == ("promote", 12 * 180)


@pytest.mark.parametrize("crashes", [20, 100])
def test_an_earlier_version_that_crashed_after_a_switch_tells_nothing_of_the_stable_one(switched, crashes):
    """It had all requests for ten minutes, an hour before, and for parts of the minutes beside them."""
    for minute in range(-240, 0):
        if minute == -50 or minute == -61:
            switched.traffic(switched.stable, minute, 60, weighted=False)
            switched.traffic("5", minute, 40, weighted=False, crashes=40 * crashes // 100)
        elif -61 < minute < -50:
            switched.traffic("5", minute, 100, weighted=False, crashes=crashes)
        elif minute < -30:
            switched.traffic(switched.stable, minute, 100, weighted=False)
    for minute in range(14):
        switched.traffic(switched.canary, minute, 100, weighted=False)
    found = judge_rollout(switched.event_at(15), switched.context)
    assert found["verdict"] == "promote"
    assert found["error_share_below"] < 0.03


@pytest.mark.parametrize(("clump", "rolled_back"), [(1, True), (40, False)])
def test_clumps_before_a_switch_make_clumps_after_it_less_surprising(switched, clump, rolled_back):
    """Two errors in a hundred requests before the switch, and six after it."""
    switched.cloudwatch.samples.clear()
    clumps = np.random.default_rng(4).poisson(2 / clump, 240)
    for minute in range(-240, 0):
        errors = int(min(100, clump * clumps[minute]))
        switched.traffic(switched.stable, minute, 100, weighted=False, errors=errors)
    for minute in range(14):
        switched.traffic(switched.canary, minute, 100, weighted=False, errors=6)
    found = judge_rollout(switched.event_at(15), switched.context)
    assert (found["verdict"] == "roll back") is rolled_back


@pytest.mark.parametrize("minute", [15, 17])
def test_a_switched_version_without_trouble_is_let_go_at_the_end_of_the_bake(switched, minute):
    """A judge that was late lets it go at the next look."""
    for past in range(15):
        switched.traffic(switched.canary, past, 200, weighted=False, errors=2)
    assert judge_rollout(switched.event_at(14), switched.context)["verdict"] == "promote"
    assert not switched.codedeploy.reports
    judge_rollout(switched.event_at(minute), switched.context)
    assert [one["status"] for one in switched.codedeploy.reports] == ["Succeeded"]


def test_a_left_over_of_another_deployment_is_not_answered(switched):
    name = f"/serinus/{switched.function}/held-deployment"
    switched.ssm.values[name] = json.dumps({"deployment_id": "d-OLDOLDOLD", "execution_id": "hook-0"})
    judge_rollout(switched.event_at(15), switched.context)
    assert not switched.codedeploy.reports
