"""Traffic request by request: bursts, environments that start cold and are reaped, outages of some seconds."""

import heapq
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from judging.counted_traffic import USUAL_PREDICTIONS, as_minutes
from judging.thresholds import SlowThresholds, observe
from judging.verdicts import SimulatedRollout, fair_minutes
from serinus.lambda_handlers.hooks.evidence import Floats
from serinus.lambda_handlers.hooks.metrics import MINUTE_S
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.rollout_window import YOUNG_S, Rollout
from serinus.lambda_handlers.hooks.shift_schedule import ShiftSchedule

Flags = npt.NDArray[np.bool_]

MOST_IN_A_BURST = 64
#: Seconds after which Lambda is supposed to reap an idle environment.
REAPED_AFTER_S = (300.0, 600.0)
_P90 = 1.2816


@dataclass(slots=True)
class Environment:
    reaped_after_s: float
    young_requests: int


@dataclass(slots=True)
class Environments:
    """One version's environments; a request is sent to the idle one that was used last."""

    idle: list[tuple[float, int, Environment]] = field(default_factory=list)
    busy: list[tuple[float, int, Environment]] = field(default_factory=list)
    started: int = 0

    def acquire(self, now: float) -> Environment | None:
        """An idle environment; None if the request must start one."""
        while self.busy and self.busy[0][0] <= now:
            self.idle.append(heapq.heappop(self.busy))
        while self.idle:
            since, _, environment = self.idle.pop()
            if now - since <= environment.reaped_after_s:
                return environment
        return None

    def occupy(self, environment: Environment, until: float) -> None:
        self.started += 1
        heapq.heappush(self.busy, (until, self.started, environment))


@dataclass(frozen=True, slots=True)
class Requests:
    """One entry a request, in order of time; ``seconds`` since the shift began."""

    seconds: Floats
    burst: npt.NDArray[np.int64]
    on_canary: Flags
    durations_ms: Floats
    cold: Flags
    inits_ms: Floats


@dataclass(frozen=True, slots=True)
class RequestTraffic:
    """A rollout of ``minutes``, begun ``offset_s`` after the start of the first, with a healthy canary.

    Requests arrive in bursts of ``burst`` on average. An environment's first response takes ``cold_factor`` times
    as long and ``cold_ms`` more, its ``young_requests`` next ones ``young_factor`` times; the canary's inits take
    ``init_factor`` times as long for five minutes. ``outage_s``: seconds since the shift's beginning in which half
    of both versions' requests fail. ``late_s``: CodeDeploy sets weights so much later than due. ``batch``: share
    of requests that take ten times as long; ``daily``: amplitude of the daily cycle; ``rejected_bursts``: share of
    bursts that are malformed. ``probed``: golden requests reach the canary every minute.
    """

    minutes: int = 30
    per_second: float = 5.0
    burst: float = 1.0
    share: float = 0.10
    interval_minutes: int = 0
    offset_s: float = 30.0
    median_ms: float = 60.0
    sigma: float = 0.5
    cold_factor: float = 1.0
    cold_ms: float = 0.0
    young_requests: int = 0
    young_factor: float = 1.0
    init_ms: float = 600.0
    init_sigma: float = 0.25
    init_factor: float = 1.0
    errors: float = 0.01
    rejected: float = 0.02
    non_finite: float = 0.001
    rejected_bursts: float = 0.0
    outage_s: tuple[float, float] | None = None
    late_s: float = 0.0
    batch: float = 0.0
    daily: float = 0.0
    probed: bool = True
    history_minutes: int = 20

    def simulate(self, rng: np.random.Generator) -> SimulatedRollout:
        requests = self._requests(rng)
        before = requests.seconds < -self.offset_s
        thresholds = observe(requests.seconds[before] + self.offset_s, requests.durations_ms[before])
        now, former = self._minutes(rng, requests, thresholds)
        schedule = ShiftSchedule(self.offset_s, self.share, self.interval_minutes * MINUTE_S or np.inf)
        return SimulatedRollout(Rollout(fair_minutes(now, schedule)), former)

    def _requests(self, rng: np.random.Generator) -> Requests:
        seconds, burst = self._arrivals(rng)
        count = len(seconds)
        on_canary = rng.random(count) < self._weights(seconds)
        durations = self.median_ms * np.exp(self.sigma * rng.standard_normal(count))
        durations *= np.where(rng.random(count) < self.batch, 10, 1)
        inits = self.init_ms * np.exp(self.init_sigma * rng.standard_normal(count))
        inits = np.where(on_canary & (seconds < YOUNG_S), inits * self.init_factor, inits)
        durations, cold = self._serve(rng, seconds, on_canary, durations, inits)
        return Requests(seconds, burst, on_canary, durations, cold, inits)

    def _arrivals(self, rng: np.random.Generator) -> tuple[Floats, npt.NDArray[np.int64]]:
        begin, end = -self.history_minutes * 60 - self.offset_s, self.minutes * 60 - self.offset_s
        expected = (end - begin) * self.per_second / self.burst
        gaps = rng.exponential(self.burst / self.per_second, int(expected * 1.3) + 50)
        seconds = begin + np.cumsum(gaps)
        if self.daily:
            phase = rng.uniform(0, 2 * np.pi)
            rate = 1 + self.daily * np.sin(2 * np.pi * seconds / 86_400 + phase)
            seconds = seconds[rng.random(len(seconds)) < rate / (1 + self.daily)]
        seconds = seconds[seconds < end]
        if self.burst == 1:
            return seconds, np.arange(len(seconds))
        sizes = 1 + rng.exponential(self.burst - 0.5, len(seconds)).astype(int)
        burst = np.repeat(np.arange(len(seconds)), np.minimum(sizes, MOST_IN_A_BURST))
        return seconds[burst], burst

    def _weights(self, seconds: Floats) -> Floats:
        since = seconds - self.late_s
        step = (
            np.floor(since / (self.interval_minutes * MINUTE_S)) if self.interval_minutes else np.zeros(len(since))
        )
        return np.where(since >= 0, np.minimum(1.0, self.share * (1 + np.maximum(step, 0))), 0.0)

    def _serve(
        self, rng: np.random.Generator, seconds: Floats, on_canary: Flags, durations_ms: Floats, inits_ms: Floats
    ) -> tuple[Floats, Flags]:
        """Durations with what cold and young environments add, and which requests were cold."""
        pools = (Environments(), Environments())
        reaped_after = rng.uniform(*REAPED_AFTER_S, len(seconds)).tolist()
        served, cold = durations_ms.tolist(), np.zeros(len(seconds), dtype=bool)
        inits, canary, probe_due = inits_ms.tolist(), on_canary.tolist(), 5.0
        for index, now in enumerate(seconds.tolist()):
            while self.probed and now > probe_due:
                self._probe(pools[1], probe_due)
                probe_due += MINUTE_S
            pool, init = pools[canary[index]], 0.0
            environment = pool.acquire(now)
            if environment is None:
                environment = Environment(reaped_after[index], self.young_requests)
                served[index] = served[index] * self.cold_factor + self.cold_ms
                cold[index], init = True, inits[index]
            elif environment.young_requests:
                environment.young_requests -= 1
                served[index] *= self.young_factor
            pool.occupy(environment, now + (served[index] + init) / 1000)
        return np.array(served), cold

    def _probe(self, pool: Environments, now: float) -> None:
        environment, duration = pool.acquire(now), self.median_ms
        if environment is None:
            environment = Environment(sum(REAPED_AFTER_S) / 2, self.young_requests)
            duration += self.cold_ms + self.init_ms
        pool.occupy(environment, now + duration / 1000)

    def _minutes(
        self, rng: np.random.Generator, requests: Requests, thresholds: SlowThresholds
    ) -> tuple[tuple[Minute, ...], tuple[Minute, ...]]:
        events = self._events(rng, requests)
        slow_init = requests.cold & (requests.inits_ms > 2 * self.init_ms * np.exp(_P90 * self.init_sigma))
        events |= {"inits": requests.cold, "first": requests.cold, "slow_inits": slow_init}
        answered = ~events["errors"] & ~events["rejected"]
        bins = np.searchsorted(np.cumsum(USUAL_PREDICTIONS)[:-1], rng.random(len(answered)))
        bins = np.where(answered, bins, -1)

        def at(threshold_ms: float) -> tuple[Minute, ...]:
            counted = {**events, "slow": requests.durations_ms > threshold_ms}
            canary = self._count(requests, requests.on_canary, counted, bins)
            stable = self._count(requests, ~requests.on_canary, counted, bins)
            return tuple(
                Minute(MINUTE_S * index, *both, young=MINUTE_S * index < self.offset_s + YOUNG_S)
                for index, both in enumerate(zip(canary, stable, strict=True))
            )

        return at(thresholds.now_ms), at(thresholds.former_ms)

    def _events(self, rng: np.random.Generator, requests: Requests) -> dict[str, Flags]:
        count = len(requests.seconds)
        error_shares = np.full(count, self.errors)
        if self.outage_s:
            begin, end = self.outage_s
            error_shares[(requests.seconds >= begin) & (requests.seconds < end)] = 0.5
        errors = rng.random(count) < error_shares
        rejected = rng.random(count) < self.rejected
        rejected |= (rng.random(int(requests.burst[-1]) + 1) < self.rejected_bursts)[requests.burst]
        rejected &= ~errors
        non_finite = ~errors & ~rejected & (rng.random(count) < self.non_finite)
        return {"errors": errors, "rejected": rejected, "non_finite": non_finite}

    def _count(
        self, requests: Requests, of_version: Flags, events: dict[str, Flags], bins: npt.NDArray[np.int64]
    ) -> list[VersionMinute]:
        live = of_version & (requests.seconds >= -self.offset_s)
        minute = ((requests.seconds[live] + self.offset_s) // MINUTE_S).astype(int)

        def counted(flags: Flags) -> npt.NDArray[np.int64]:
            return np.bincount(minute[flags[live]], minlength=self.minutes)[: self.minutes]

        columns = {"requests": counted(live), **{name: counted(flags) for name, flags in events.items()}}
        predictions = [counted(bins == index) for index in range(len(USUAL_PREDICTIONS))]
        return as_minutes(columns, np.stack(predictions, axis=1))
