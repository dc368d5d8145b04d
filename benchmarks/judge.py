"""The judge by simulation: false rollbacks, and live requests until a bad canary is caught.

Each rollout bakes for 90 minutes and is looked at every minute, as the judge does on AWS. All detectors see the
same requests: the judge with all its signals; an alarm at a fixed threshold; and the Mann-Whitney test of Kayenta
and PipeCD, on each minute's error share (at the confidence of Kayenta's judge, 98 %; its further demand on the
size of the effect is left out) and on the single requests' outcomes (at 95 %). How much could be won at all says a
test that is told beforehand how much worse a bad canary's errors are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from table import Row, main

from serinus.lambda_handlers.contract.signals import PREDICTION_BINS
from serinus.lambda_handlers.hooks.capital import SIGNAL_STAKES, STAKES, accumulate
from serinus.lambda_handlers.hooks.evidence import LIKELY, Block, grow, log_payouts, mix
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.verdict import Rules

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Rollouts of a scenario without a difference, where what counts is rare, and with one.
ROLLOUTS = 10_000
FAULTY_ROLLOUTS = 2_000
CHUNK = 1_000
MINUTES = 90
REQUESTS_A_MINUTE = 200
#: Shares of requests that are the same in every scenario.
USUAL = {"rejected": 0.02, "non_finite": 0.001, "slow": 0.05}
PREDICTED = (0.60, 0.25, 0.10, 0.05)
SEED = 20241121
#: With which the recorded figures were measured; the default is now `release.MINIMUM_REQUESTS`.
RULES = Rules(minimum_requests=20)
#: 5 % against 1 %.
TOLD_ODDS = (0.05 / 0.95) / (0.01 / 0.99)
Z_95_ONE_SIDED, Z_98_TWO_SIDED = 1.645, 2.326


@dataclass(frozen=True, slots=True)
class Scenario:
    """Error shares of stable and canary, and the canary's weight; ``wanders`` lets both shares drift together
    between a fifth and ten times theirs. After a switch, a minute of the canary's 200 requests is compared with
    four of the stable version's before it, as if it were a fifth of a thousand."""

    name: str
    weight: float
    stable_errors: float = 0.01
    canary_errors: float = 0.01
    wanders: bool = False
    requests_a_minute: int = REQUESTS_A_MINUTE

    @property
    def rollouts(self) -> int:
        return ROLLOUTS if self.canary_errors == self.stable_errors else FAULTY_ROLLOUTS


SCENARIOS = (
    Scenario("same, 10 % canary", 0.10),
    Scenario("same, 50 % canary", 0.50),
    Scenario("same, errors wander", 0.10, wanders=True),
    Scenario("same, switched", 0.20, requests_a_minute=1_000),
    Scenario("1 % and 5 %, 10 % canary", 0.10, canary_errors=0.05),
    Scenario("1 % and 5 %, 50 % canary", 0.50, canary_errors=0.05),
    Scenario("1 % and 5 %, switched", 0.20, canary_errors=0.05, requests_a_minute=1_000),
    Scenario("1 % and 100 %, 10 % canary", 0.10, canary_errors=1.0),
)


@dataclass(slots=True)
class Traffic:
    """Counts [rollouts, minutes] of both versions: requests, and events by signal; predictions [..., bins]."""

    canary: Counts
    stable: Counts
    canary_events: dict[str, Counts] = field(default_factory=dict)
    stable_events: dict[str, Counts] = field(default_factory=dict)


def simulate(scenario: Scenario, rollouts: int, rng: np.random.Generator) -> Traffic:
    shape = (rollouts, MINUTES)
    canary = rng.binomial(scenario.requests_a_minute, scenario.weight, shape)
    traffic = Traffic(canary, scenario.requests_a_minute - canary)
    level = np.ones(shape)
    if scenario.wanders:
        phase = rng.uniform(0, 2 * np.pi, (rollouts, 1))
        level = np.exp(np.interp(np.sin(np.arange(MINUTES) / 6 + phase), (-1, 1), np.log((0.2, 10))))
    shares = {name: (share, share) for name, share in USUAL.items()}
    for name, (stable, canary_share) in {
        "errors": (scenario.stable_errors, scenario.canary_errors),
        **shares,
    }.items():
        scale = level if name == "errors" else 1.0
        traffic.canary_events[name] = rng.binomial(traffic.canary, np.minimum(canary_share * scale, 1.0))
        traffic.stable_events[name] = rng.binomial(traffic.stable, np.minimum(stable * scale, 1.0))
    traffic.canary_events["predictions"] = rng.multinomial(traffic.canary, PREDICTED)
    traffic.stable_events["predictions"] = rng.multinomial(traffic.stable, PREDICTED)
    return traffic


def judged(traffic: Traffic) -> npt.NDArray[np.bool_]:
    """Whether the judge's capital stands above its threshold, [rollouts, minutes]: its own functions, each
    distinct minute computed once."""
    capitals = [
        _predictions(traffic)
        if name == "predictions"
        else np.zeros(traffic.canary.shape)  # no cold starts here: their bet stays as it is
        if name == "slow_inits"
        else _capital(
            traffic.canary,
            traffic.canary_events[name],
            traffic.stable,
            traffic.stable_events[name],
            bet.tolerated_odds,
        )
        for name, bet in SIGNAL_STAKES.items()
    ]
    total = mix(np.stack(capitals, axis=-1), STAKES)
    _check_against_the_judge(traffic, total)
    enough = np.cumsum(traffic.canary, axis=1) >= RULES.minimum_requests
    return np.asarray((total >= np.log(1 / RULES.alpha)) & enough)


def _capital(
    canary: Counts, events: Counts, stable: Counts, stable_events: Counts, tolerated_odds: float
) -> Floats:
    blocks = np.stack([canary, events, stable, stable_events], axis=-1)
    distinct, where = np.unique(blocks.reshape(-1, 4), axis=0, return_inverse=True)
    payouts = np.array([log_payouts(Block(*map(int, row)), tolerated_odds) for row in distinct])
    return grow(payouts[where].reshape(*canary.shape, -1), LIKELY)


def _predictions(traffic: Traffic) -> Floats:
    bins = [np.zeros(traffic.canary.shape)] * PREDICTION_BINS
    odds = SIGNAL_STAKES["predictions"].tolerated_odds
    for index in range(len(PREDICTED)):
        in_canary = traffic.canary_events["predictions"][..., index]
        in_stable = traffic.stable_events["predictions"][..., index]
        more = _capital(traffic.canary, in_canary, traffic.stable, in_stable, odds)
        less = _capital(
            traffic.canary, traffic.canary - in_canary, traffic.stable, traffic.stable - in_stable, odds
        )
        bins[index] = np.logaddexp(more, less) - np.log(2)
    return mix(np.stack(bins, axis=-1), np.full(PREDICTION_BINS, 1 / PREDICTION_BINS))


def told_the_odds(traffic: Traffic) -> npt.NDArray[np.bool_]:
    """What no judge can do better at the same confidence: errors alone, and told beforehand how much worse a bad
    canary is. Wald's sequential test on the same two-by-two tables."""
    blocks = np.stack(
        [traffic.canary, traffic.canary_events["errors"], traffic.stable, traffic.stable_events["errors"]], axis=-1
    )
    distinct, where = np.unique(blocks.reshape(-1, 4), axis=0, return_inverse=True)
    payouts = np.array([log_payouts(Block(*map(int, row)), 1.0, np.array([TOLD_ODDS])) for row in distinct])
    capital = np.cumsum(payouts[where].reshape(traffic.canary.shape), axis=1)
    return np.asarray(capital >= np.log(1 / RULES.alpha))


def _check_against_the_judge(traffic: Traffic, total: Floats) -> None:
    """The first rollout's account, settled as the hook does it, must be the same."""
    minutes = [
        Minute(
            60.0 * index,
            _minute(traffic.canary, traffic.canary_events, index),
            _minute(traffic.stable, traffic.stable_events, index),
        )
        for index in range(MINUTES)
    ]
    np.testing.assert_allclose(accumulate(minutes).total, total[0], rtol=1e-9, atol=1e-9)


def _minute(requests: Counts, events: dict[str, Counts], index: int) -> VersionMinute:
    bins = [int(count) for count in events["predictions"][0, index]]
    return VersionMinute(
        requests=int(requests[0, index]),
        **{name: int(events[name][0, index]) for name in ("errors", *USUAL)},
        predictions=(*bins, *[0] * (PREDICTION_BINS - len(bins))),
    )


def alarmed(traffic: Traffic) -> npt.NDArray[np.bool_]:
    """More than 5 % errors on the canary in one minute."""
    return np.asarray(traffic.canary_events["errors"] > 0.05 * traffic.canary)


def alarmed_three_of_five(traffic: Traffic) -> npt.NDArray[np.bool_]:
    """The same in three of the last five minutes."""
    windows = np.pad(alarmed(traffic), ((0, 0), (4, 0)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(windows, 5, axis=1).sum(axis=-1) >= 3)


def mann_whitney_minutes(traffic: Traffic) -> npt.NDArray[np.bool_]:
    """Mann-Whitney on all minutes' error shares so far, by the normal approximation with ties, 98 % two-sided."""
    canary = traffic.canary_events["errors"] / np.maximum(traffic.canary, 1)
    stable = traffic.stable_events["errors"] / np.maximum(traffic.stable, 1)
    rollouts = len(canary)
    wins, ties = np.zeros(rollouts), np.zeros(rollouts)
    significant = np.zeros(canary.shape, dtype=bool)
    for t in range(MINUTES):
        new_canary, new_stable = canary[:, [t]], stable[:, [t]]
        wins += _won(new_canary, stable[:, : t + 1]) + (t - _won(new_stable, canary[:, :t]))
        for value, seen in (
            (new_canary, np.concatenate([canary[:, :t], stable[:, :t]], axis=1)),
            (new_stable, np.concatenate([canary[:, : t + 1], stable[:, :t]], axis=1)),
        ):
            equal = (value == seen).sum(axis=1)
            ties += 3 * equal**2 + 3 * equal
        each = t + 1
        both = 2 * each
        variance = each**2 / 12 * ((both + 1) - ties / (both * max(both - 1, 1)))
        score = (wins - each**2 / 2 - 0.5) / np.sqrt(np.maximum(variance, 1e-12))
        significant[:, t] = (np.abs(score) > Z_98_TWO_SIDED) & (score > 0) & (variance > 1e-9)
    return significant


def _won(value: Floats, others: Floats) -> Floats:
    return np.asarray((value > others).sum(axis=1) + 0.5 * (value == others).sum(axis=1))


def mann_whitney_requests(traffic: Traffic) -> npt.NDArray[np.bool_]:
    """Mann-Whitney on all requests' outcomes so far (1 for an error): with ties, the two-proportion z test."""
    n, m = np.cumsum(traffic.canary, axis=1), np.cumsum(traffic.stable, axis=1)
    x, y = (np.cumsum(side["errors"], axis=1) for side in (traffic.canary_events, traffic.stable_events))
    pooled = (x + y) / (n + m)
    variance = pooled * (1 - pooled) * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1))
    score = (x / np.maximum(n, 1) - y / np.maximum(m, 1)) / np.sqrt(np.maximum(variance, 1e-12))
    return np.asarray((score > Z_95_ONE_SIDED) & (n >= RULES.minimum_requests))


DETECTORS: dict[str, Callable[[Traffic], npt.NDArray[np.bool_]]] = {
    "judge, all signals": judged,
    "told the odds, errors alone": told_the_odds,
    "alarm, 5 % in 1 minute": alarmed,
    "alarm, 5 % in 3 of 5": alarmed_three_of_five,
    "Mann-Whitney, minutes": mann_whitney_minutes,
    "Mann-Whitney, requests": mann_whitney_requests,
}


def measure() -> Sequence[Row]:
    return [row for index, scenario in enumerate(SCENARIOS) for row in _rows(scenario, SEED + index)]


def _rows(scenario: Scenario, seed: int) -> list[Row]:
    rng = np.random.default_rng(seed)
    stops: dict[str, list[Floats]] = {name: [] for name in DETECTORS}
    for _ in range(scenario.rollouts // CHUNK):
        traffic = simulate(scenario, CHUNK, rng)
        requests = np.cumsum(traffic.canary, axis=1)
        for name, detect in DETECTORS.items():
            stops[name].append(_first(detect(traffic), requests))
    return [_row(scenario, name, np.concatenate(found, axis=0)) for name, found in stops.items()]


def _first(alarm: npt.NDArray[np.bool_], requests: Counts) -> Floats:
    """[rollouts, 2]: minutes and canary requests until the first alarm, infinite where there was none."""
    at = alarm.argmax(axis=1)
    found = np.column_stack([at + 1.0, requests[np.arange(len(at)), at]])
    return np.where(alarm.any(axis=1, keepdims=True), found, np.inf)


def _row(scenario: Scenario, detector: str, stops: Floats) -> Row:
    minutes, requests = (float(value) for value in np.median(stops, axis=0))
    caught = np.isfinite(minutes)
    return {
        "scenario": scenario.name,
        "detector": detector,
        "rollouts": len(stops),
        "rolled back %": round(float(np.isfinite(stops[:, 0]).mean() * 100), 2),
        "canary requests": requests if caught else None,
        "minutes": minutes if caught else None,
    }


if __name__ == "__main__":
    main(
        "judge",
        measure,
        note="Error shares of stable and canary; medians until rolled back; 90 minutes at 200 requests a minute.",
    )
