"""Other sequential tests on the same tables of errors, as a statistic per minute that alarms above a threshold.

None of them is valid at every look by itself: their thresholds are calibrated by simulation, on healthy traffic of
the very kind that is tested. Beta-binomial Bayes factor: Kharitonov et al., "Sequential testing for early stopping
of online experiments" (2015). Asymptotic confidence sequence: Waudby-Smith et al., "Time-uniform central limit
theory and asymptotic confidence sequences" (2021). Mann-Whitney on single requests' outcomes, as canary analysis
uses it, is with ties the two-proportion z test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from judging.batch_capital import Counts, batch_payouts
from serinus.lambda_handlers.hooks.evidence import Floats

#: Canary requests before normal approximations are used.
ENOUGH_REQUESTS = 30
#: Canary requests for which the confidence sequence is tightest.
TIGHTEST_AT = 500
NEVER = -9.0


@dataclass(frozen=True, slots=True)
class Sums:
    """Requests and errors up to each minute, [rollouts, minutes]."""

    canary: Floats
    canary_errors: Floats
    stable: Floats
    stable_errors: Floats

    @classmethod
    def of(cls, tables: Counts) -> "Sums":
        """From tables [rollouts, minutes, 4]."""
        return cls(*np.moveaxis(np.cumsum(tables, axis=1), -1, 0).astype(float))

    def canary_is_worse(self) -> npt.NDArray[np.bool_]:
        return self.canary_errors * self.stable > self.stable_errors * self.canary


def rivals(stable_share: float, canary_share: float) -> Mapping[str, Callable[[Counts], Floats]]:
    """Tests by name; the oracle knows by how much the canary's odds differ."""
    return {
        "oracle: knows the odds": partial(oracle, stable_share=stable_share, canary_share=canary_share),
        "beta-binomial Bayes factor": bayes_factor,
        "asymptotic confidence sequence": confidence_sequence,
        "two-proportion z (Mann-Whitney on requests)": two_proportions,
        "fixed alarm, in 3 of 5 minutes": third_worst_of_five,
    }


def oracle(tables: Counts, stable_share: float, canary_share: float) -> Floats:
    """Wald's sequential test on the judge's own tables: the odds ratio is known, the error rates are not."""
    odds = canary_share / (1 - canary_share) / (stable_share / (1 - stable_share))
    flat = tables.reshape(-1, 4)
    payouts = batch_payouts(flat, np.ones(len(flat)), np.array([odds]))
    return np.asarray(np.cumsum(payouts.reshape(tables.shape[:2]), axis=1))


def bayes_factor(tables: Counts) -> Floats:
    """Two error shares against one, with Jeffreys' priors."""
    sums = Sums.of(tables)
    healthy, stable_healthy = sums.canary - sums.canary_errors, sums.stable - sums.stable_errors
    apart = betaln(0.5 + sums.canary_errors, 0.5 + healthy)
    apart += betaln(0.5 + sums.stable_errors, 0.5 + stable_healthy) - betaln(0.5, 0.5)
    together = betaln(0.5 + sums.canary_errors + sums.stable_errors, 0.5 + healthy + stable_healthy)
    return np.where(sums.canary_is_worse(), apart - together, NEVER)


def two_proportions(tables: Counts) -> Floats:
    """The normal score of the difference of error shares."""
    sums = Sums.of(tables)
    canary, stable = np.maximum(sums.canary, 1), np.maximum(sums.stable, 1)
    pooled = (sums.canary_errors + sums.stable_errors) / (canary + stable)
    variance = np.maximum(pooled * (1 - pooled) * (1 / canary + 1 / stable), 1e-12)
    score = (sums.canary_errors / canary - sums.stable_errors / stable) / np.sqrt(variance)
    return np.where(sums.canary >= ENOUGH_REQUESTS, score, NEVER)


def confidence_sequence(tables: Counts) -> Floats:
    """The normal mixture's logarithmic capital on the same score."""
    sums, score = Sums.of(tables), two_proportions(tables)
    tightness = (2 * np.log(20) + np.log(2 * np.log(20) + 1)) / TIGHTEST_AT
    effective = tightness / (1 / np.maximum(sums.canary, 1) + 1 / np.maximum(sums.stable, 1))
    capital = score**2 / 2 * effective / (effective + 1) - np.log(effective + 1) / 2
    return np.where(score > 0, capital, NEVER)


def third_worst_of_five(tables: Counts) -> Floats:
    """The canary's third largest error share in the last five minutes."""
    shares = tables[..., 1] / np.maximum(tables[..., 0], 1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(shares, ((0, 0), (4, 0))), 5, axis=1)
    return np.asarray(np.sort(windows, axis=-1)[..., 2])


def calibrate(healthy: Floats, false_alarms: float) -> float:
    """The threshold that at most this share of healthy rollouts [rollouts, minutes] exceeds at any look."""
    return float(np.quantile(healthy.max(axis=1), 1 - false_alarms, method="higher"))
