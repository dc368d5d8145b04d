"""Healthy releases that may look bad: everything that two equal versions can meet in one rollout."""

from dataclasses import dataclass, replace

from judging.blue_green import KINDS, BlueGreenTraffic
from judging.counted_traffic import EVEN_DECILES, USUAL_PREDICTIONS, CountedTraffic, Shares, decile_shares
from judging.request_traffic import RequestTraffic
from judging.simulation import Traffic
from serinus.lambda_handlers.hooks.capital import SIGNAL_STAKES, TOLERATED_SLOW_INITS

LIMIT_PERCENT, BLUE_GREEN_LIMIT_PERCENT = 5.0, 10.0
MANY, SOME, FEW = 1_500, 600, 300


@dataclass(frozen=True, slots=True)
class NullModel:
    name: str
    traffic: Traffic
    rollouts: int = SOME
    limit_percent: float = LIMIT_PERCENT


def null_models() -> list[NullModel]:
    """Every healthy release of the benchmark, with the number of rollouts that its time allows."""
    return [
        *_independent(),
        *_cold_starts(),
        *_outages(),
        *_other_rulers(),
        *_unusual_requests(),
        *_low_traffic(),
        *_at_tolerance(),
        *_blue_green(),
    ]


def _independent() -> list[NullModel]:
    return [
        NullModel("independent, 10 %", CountedTraffic(90), MANY),
        NullModel("independent, 50 %", CountedTraffic(90, share=0.5), MANY),
        NullModel("independent, 30 % of errors", CountedTraffic(90, stable=Shares(errors=0.3)), MANY),
        NullModel("linear, 10 % every 2 minutes", CountedTraffic(18, share=0.1, interval_minutes=2), MANY),
        NullModel("linear, 20 % every 5 minutes", CountedTraffic(20, share=0.2, interval_minutes=5), MANY),
        NullModel("error rate drifts, log-sd 1", CountedTraffic(90, drift=1.0), MANY),
        NullModel("outage of 2 minutes at any time", CountedTraffic(90, outage=True), MANY),
        NullModel("bursts of 20, 10 %", RequestTraffic(burst=20)),
        NullModel("bursts of 20, linear 10 % every 2", RequestTraffic(18, burst=20, interval_minutes=2)),
    ]


def _cold_starts() -> list[NullModel]:
    bursts = RequestTraffic(burst=10)
    slow_bursts = RequestTraffic(burst=10, median_ms=300, sigma=0.3)
    tight_bursts = replace(slow_bursts, init_sigma=0.1)
    second = RequestTraffic(median_ms=1000, sigma=0.3, cold_factor=3)
    ten_young = RequestTraffic(cold_factor=3, young_requests=10, young_factor=1.7, share=0.5)
    quiet = RequestTraffic(
        90, per_second=0.5, share=0.01, sigma=0.3, cold_ms=300, probed=False, history_minutes=60
    )
    return [
        NullModel("first response x3", RequestTraffic(cold_factor=3)),
        NullModel("first x3, next ten x1.7, 50 %", ten_young),
        NullModel("1 s model, first x3, 1 %", replace(second, share=0.01, minutes=90), FEW),
        NullModel("1 s model, first x3, 10 %", second),
        NullModel("bursts of 10, first +150 ms, 10 %", replace(bursts, cold_ms=150)),
        NullModel("bursts of 10, first +150 ms, 50 %", replace(bursts, cold_ms=150, share=0.5)),
        NullModel("bursts of 10, 300 ms, first +300 ms, 10 %", replace(slow_bursts, cold_ms=300)),
        NullModel("bursts of 10, 300 ms, first +300 ms, 50 %", replace(slow_bursts, cold_ms=300, share=0.5)),
        NullModel("bursts of 10, 300 ms, first +1 s, 10 %", replace(slow_bursts, cold_ms=1000)),
        NullModel(
            "bursts of 10, 300 ms, first +1 s, linear 10 % every 5",
            replace(slow_bursts, cold_ms=1000, interval_minutes=5, minutes=45),
        ),
        NullModel("30 a minute, 1 %, first +300 ms, not probed", quiet),
        NullModel("inits x2 for 5 minutes", RequestTraffic(init_factor=2)),
        NullModel("inits x2.5 for 5 minutes, bursts of 10", replace(slow_bursts, init_factor=2.5)),
        NullModel("inits x3 for 5 minutes, bursts of 10", replace(slow_bursts, init_factor=3)),
        NullModel("inits x2 for 5 minutes, tight, bursts of 10", replace(tight_bursts, init_factor=2)),
        NullModel("inits x2.5 for 5 minutes, tight, bursts of 10", replace(tight_bursts, init_factor=2.5)),
        NullModel("inits x3 for 5 minutes, tight, bursts of 10", replace(tight_bursts, init_factor=3)),
    ]


def _outages() -> list[NullModel]:
    """Twenty seconds in which half of both versions' requests fail, where the weights change."""
    models = []
    for rollouts, a_minute in ((SOME, 300), (FEW, 3000)):
        at_shift = RequestTraffic(10, per_second=a_minute / 60, outage_s=(0, 20), history_minutes=5)
        at_step = replace(at_shift, minutes=20, share=0.2, interval_minutes=5, outage_s=(300, 320))
        frequent = replace(at_shift, minutes=18, interval_minutes=2, outage_s=(240, 260))
        late = replace(at_step, late_s=40, outage_s=(330, 350))
        models += [
            NullModel(f"outage of 20 s {where}, {a_minute:,} a minute", traffic, rollouts)
            for where, traffic in (
                ("as the shift begins", at_shift),
                ("at a step, linear 20 % every 5", at_step),
                ("at a step, linear 10 % every 2", frequent),
                ("at a step that is 40 s late, linear 20 % every 5", late),
            )
        ]
    return models


def _other_rulers() -> list[NullModel]:
    """What entered one side of the comparison only: other bins, other callers."""
    models = []
    for drift in (0.5, 1.0, 1.5):
        # Both models predict alike. Counted in each model's own deciles, the older one's are not even any more.
        old = Shares(predictions=EVEN_DECILES, former_predictions=decile_shares(drift))
        traffic = CountedTraffic(30, stable=old, canary=Shares(predictions=EVEN_DECILES))
        models.append(NullModel(f"retrained, inputs drifted by {drift:g} sd", traffic))
    for pinned in (90, 180):
        traffic = CountedTraffic(30, stable=Shares(errors=0.03), pinned_a_minute=pinned)
        models.append(NullModel(f"{pinned} healthy requests a minute pinned to stable", traffic))
    return models


def _unusual_requests() -> list[NullModel]:
    heavy = RequestTraffic(sigma=1.2, daily=0.8, batch=0.05)
    malformed = RequestTraffic(burst=10, rejected_bursts=0.08)
    return [
        NullModel("heavy tail, daily cycle, batches x10, 10 %", heavy),
        NullModel("heavy tail, daily cycle, batches x10, 50 %", replace(heavy, share=0.5)),
        NullModel("malformed bursts of one client, 10 %", malformed),
        NullModel("malformed bursts of one client, 50 %", replace(malformed, share=0.5)),
    ]


def _low_traffic() -> list[NullModel]:
    return [
        NullModel(
            f"{a_minute} a minute, {share:.0%}".replace("%", " %"),
            RequestTraffic(90, per_second=a_minute / 60, share=share, history_minutes=60),
        )
        for a_minute in (1, 5, 20, 60)
        for share in (0.1, 0.5)
    ]


def _at_tolerance() -> list[NullModel]:
    """Every signal of the canary exactly as much worse as is tolerated."""
    models = []
    for share in (0.1, 0.5):
        for errors in (0.01, 0.1):
            stable = Shares(errors, 0.05, 0.02, 0.1, 0.02, tuple(reversed(USUAL_PREDICTIONS)))
            canary = Shares(
                errors,
                _tolerated("rejected", 0.05),
                _tolerated("non_finite", 0.02),
                _tolerated("slow", 0.1),
                _tolerated("slow", 0.02),
                _first_tolerated(stable.predictions),
                inits_a_minute=0.5,
                slow_inits=TOLERATED_SLOW_INITS,
                former_slow_inits=0.1,
            )
            name = f"all signals at their tolerance, {errors:.0%} of errors, {share:.0%}".replace("%", " %")
            models.append(NullModel(name, CountedTraffic(90, share=share, stable=stable, canary=canary), SOME))
    return models


def _tolerated(signal: str, share: float) -> float:
    odds = SIGNAL_STAKES[signal].tolerated_odds
    return share * odds / (1 - share + share * odds)


def _first_tolerated(predictions: tuple[float, ...]) -> tuple[float, ...]:
    first = _tolerated("predictions", predictions[0])
    scale = (1 - first) / (1 - predictions[0])
    return (first, *(share * scale for share in predictions[1:]))


def _blue_green() -> list[NullModel]:
    return [
        NullModel(
            f"blue_green, {kind}, bake {bake}",
            BlueGreenTraffic(kind, bake),
            SOME if bake == 15 else FEW,
            BLUE_GREEN_LIMIT_PERCENT,
        )
        for kind in KINDS
        for bake in (15, 50)
    ]
