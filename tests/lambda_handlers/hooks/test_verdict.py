"""What the judge says, and why, for rollouts that a person would recognise."""

import json
from dataclasses import replace

import pytest

from serinus.lambda_handlers.contract.release import Inconclusive, Verdict
from serinus.lambda_handlers.contract.signals import PREDICTION_BINS
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.probe import Probe
from serinus.lambda_handlers.hooks.rollout_window import Rollout
from serinus.lambda_handlers.hooks.verdict import Rules, judge

PASSED = Probe("passed", "16 golden rows agree")
STABLE = {"requests": 180, "errors": 2, "rejected": 4, "slow": 9}


def bins(*counts: int) -> tuple[int, ...]:
    return counts + (0,) * (PREDICTION_BINS - len(counts))


def minutes(count: int, canary: dict, stable: dict | None = None) -> list[Minute]:
    return [
        Minute(60.0 * index, VersionMinute(**canary), VersionMinute(**(STABLE if stable is None else stable)))
        for index in range(count)
    ]


def verdict(observed, probe=PASSED, *, bake_over=False, **rules):
    rollout = Rollout(tuple(observed))
    return judge(rollout, probe, Rules(**{"minimum_requests": 20, **rules}), bake_over=bake_over)


def test_a_healthy_canary_is_promoted_once_its_errors_are_bounded():
    found = verdict(minutes(20, {"requests": 20, "slow": 1}))
    assert found.verdict is Verdict.PROMOTE
    assert "no sign of harm in 400 live requests" in found.reason
    assert found.error_share_below < 0.06


def test_errors_that_come_in_clumps_bound_less_than_as_many_independent_ones():
    alike = verdict(minutes(20, {"requests": 20}))
    clumps = [VersionMinute(requests=180, errors=20 * (index % 10 == 0)) for index in range(60)]
    rollout = Rollout(tuple(minutes(20, {"requests": 20})), history=tuple(clumps))
    found = judge(rollout, PASSED, Rules(minimum_requests=20), bake_over=False)
    assert found.error_share_below > 3 * alike.error_share_below


@pytest.mark.parametrize("stable", [{"requests": 9, "errors": 1}, {"requests": 9000, "errors": 1000}])
def test_the_stable_versions_share_is_known_no_better_than_its_requests_allow(stable):
    found = verdict(minutes(1, {"requests": 80, "errors": 1}, stable))
    assert (found.verdict is Verdict.PROMOTE) == (stable["requests"] == 9000)


def test_first_responses_of_new_environments_are_not_held_against_the_canary():
    assert verdict(minutes(20, {"requests": 20, "slow": 8, "first": 8})).verdict is Verdict.PROMOTE


def test_slow_starts_of_new_code_are_tolerated_at_first():
    young = [replace(minute, young=True) for minute in minutes(5, {"requests": 20, "inits": 4, "slow_inits": 4})]
    assert verdict([*young, *minutes(15, {"requests": 20})]).verdict is Verdict.PROMOTE
    assert (
        verdict([*young, *minutes(15, {"requests": 20, "inits": 1, "slow_inits": 1})]).verdict is Verdict.ROLL_BACK
    )


def test_trouble_of_three_minutes_after_a_switch_is_not_the_canarys():
    outage = minutes(3, {"requests": 20, "errors": 20})
    healthy = minutes(12, {"requests": 20})
    switched = Rollout((*outage, *healthy), switched=True)
    assert judge(switched, PASSED, Rules(), bake_over=False).verdict is not Verdict.ROLL_BACK
    lasting = Rollout((*outage, *minutes(3, {"requests": 20, "errors": 10})), switched=True)
    assert judge(lasting, PASSED, Rules(), bake_over=False).verdict is Verdict.ROLL_BACK


def test_a_few_live_requests_are_not_enough_evidence():
    found = verdict(minutes(1, {"requests": 12}))
    assert found.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert found.reason == "12 live requests on the canary; at least 20 are required"


def test_requests_without_errors_may_still_be_too_few_to_promote():
    found = verdict(minutes(2, {"requests": 20}))
    assert found.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert "too few to show" in found.reason


@pytest.mark.parametrize(
    ("signal", "canary", "words"),
    [
        ("errors", {"requests": 20, "errors": 5}, "errors: 25.0% of the canary's requests against 1.1%"),
        ("rejected", {"requests": 20, "rejected": 10}, "rejected inputs: 50.0%"),
        ("non_finite", {"requests": 20, "non_finite": 3}, "non-finite predictions: 15.0%"),
        ("slow", {"requests": 20, "slow": 20}, "slow responses: 100.0%"),
        ("slow", {"requests": 20, "slow": 20, "first": 4}, "slow responses: 100.0%"),
        (
            "slow_inits",
            {"requests": 20, "inits": 2, "slow_inits": 2},
            "slow cold starts: 100.0% of the canary's cold",
        ),
    ],
)
def test_each_signal_alone_rolls_back(signal, canary, words):
    found = verdict(minutes(6, canary))
    assert found.verdict is Verdict.ROLL_BACK
    assert found.reason.startswith(words)
    assert max(found.findings, key=lambda finding: finding.evidence).signal == signal


def test_predictions_that_turn_to_another_label_roll_back():
    found = verdict(
        minutes(8, {"requests": 20, "predictions": bins(2, 18)}, {**STABLE, "predictions": bins(150, 30)})
    )
    assert found.verdict is Verdict.ROLL_BACK
    assert found.reason.startswith("a different distribution of predictions")


def test_predictions_that_move_as_retraining_moves_them_do_not():
    observed = minutes(60, {"requests": 20, "predictions": bins(12, 8)}, {**STABLE, "predictions": bins(130, 50)})
    assert verdict(observed).verdict is Verdict.PROMOTE


def test_evidence_counts_only_after_the_least_requests():
    bad = minutes(1, {"requests": 10, "errors": 10})
    assert verdict(bad).verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert verdict(bad, minimum_requests=10).verdict is Verdict.ROLL_BACK


def test_what_once_sufficed_is_not_taken_back():
    observed = minutes(5, {"requests": 20, "errors": 8})
    observed += minutes(200, {"requests": 20})
    found = verdict(observed)
    assert found.verdict is Verdict.ROLL_BACK
    assert found.canary_requests == 20


def test_the_old_versions_trouble_is_not_held_against_the_new_one():
    found = verdict(minutes(20, {"requests": 20}, {"requests": 180, "errors": 90, "slow": 180}))
    assert found.verdict is Verdict.PROMOTE


def test_a_failed_probe_rolls_back_without_any_traffic():
    found = verdict([], Probe("failed", "3 of 16 golden rows disagree"))
    assert found.verdict is Verdict.ROLL_BACK
    assert found.reason == "golden requests failed: 3 of 16 golden rows disagree"


def test_the_end_of_the_bake_promotes_by_default_and_says_so():
    found = verdict([], bake_over=True)
    assert found.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert "and the golden requests passed" in found.reason


def test_the_end_of_the_bake_rolls_back_where_that_is_set():
    found = verdict([], bake_over=True, inconclusive=Inconclusive.ROLL_BACK)
    assert found.verdict is Verdict.ROLL_BACK


def test_the_end_of_the_bake_rolls_back_where_no_probe_was_answered():
    assert verdict([], Probe("unknown", "throttled"), bake_over=True).verdict is Verdict.ROLL_BACK


def test_the_end_of_the_bake_changes_nothing_where_there_is_evidence():
    observed = minutes(20, {"requests": 20})
    rules = {"bake_over": True, "inconclusive": Inconclusive.ROLL_BACK}
    assert verdict(observed, **rules).verdict is Verdict.PROMOTE


def test_overwhelming_evidence_is_still_json():
    found = verdict(minutes(90, {"requests": 2000, "errors": 2000}))
    assert json.loads(json.dumps(found.to_json()))["verdict"] == "roll back"
