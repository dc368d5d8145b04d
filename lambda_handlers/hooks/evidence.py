"""Evidence that stays valid however often it is looked at: e-processes over minutes of traffic.

A judge that looks every minute and stops at the first bad look would, with an ordinary test, stop most
healthy releases. Here each minute pays out a bet instead. Alias weights send every request to canary or stable
at random, so if the versions behave alike, which of a minute's requests failed says nothing about where they
went: given the minute's totals, the number of failures on the canary is hypergeometric, whatever the failure
rate is and however it drifts. The bet pays the likelihood ratio of Fisher's noncentral hypergeometric law at a
worse odds ratio against that law at the tolerated one. Under every odds ratio up to the tolerated one its
expected pay-out is at most 1 (the ratio rises with the count, the law with the odds), so capital, the product
over minutes averaged over several worse odds ratios, is a test supermartingale: by Ville's inequality the chance
that it *ever* reaches 1/alpha is at most alpha.

Sources: Ville (1939); Robbins, "Statistical methods related to the law of the iterated logarithm" (1970), for
mixtures; Turner, Ly, Grünwald, "Generic e-variables for exact sequential k-sample tests" (2024), for streams of
two-by-two tables; Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting" (2024).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: How many times worse than tolerated the bets suppose the canary's odds to be: the range worth catching, from
#: half as bad again to little but failures. Few and far apart, most on what a bad release usually is: a finer grid
#: costs more stake than its better aim wins back.
WORSE = np.array([1.5, 3.0, 6.0, 20.0])
#: The stake on each of `WORSE`.
LIKELY = np.array([1, 2, 2, 1]) / 6
#: The stake that bets from the first minute on; the rest is for trouble that starts later.
AT_ONCE = 0.75

#: Minutes that `log_capital_without_loudest` disregards.
LOUDEST = 3

#: Shares that the bets against one tolerated share suppose; those at or below it are left out.
WORSE_SHARES = np.array([0.2, 0.35, 0.5, 0.7, 0.9, 0.99])


@dataclass(frozen=True, slots=True)
class Block:
    """Requests of one minute, and how many of them showed the event in question, by version."""

    canary: int
    canary_events: int
    stable: int
    stable_events: int

    def __post_init__(self) -> None:
        if not (0 <= self.canary_events <= self.canary and 0 <= self.stable_events <= self.stable):
            raise ValueError(f"{self}: events must lie between 0 and the requests of their version")

    def without_events(self) -> "Block":
        """The same minute seen from the other side: requests that did not show the event."""
        return Block(self.canary, self.canary - self.canary_events, self.stable, self.stable - self.stable_events)


def log_payouts(block: Block, tolerated_odds: float, worse: Floats = WORSE) -> Floats:
    """Logarithm of one minute's pay-out on each of ``worse``: 0 where it cannot tell the versions apart."""
    events = block.canary_events + block.stable_events
    least, most = max(0, events - block.stable), min(block.canary, events)
    if least == most:
        return np.zeros(len(worse))
    counts = np.arange(least, most + 1)
    weights = _log_choose(block.canary, counts) + _log_choose(block.stable, events - counts)
    tolerated = math.log(tolerated_odds)
    supposed = tolerated + np.log(worse)
    normal = _log_sum(weights + counts * tolerated)
    suspected = _log_sum(weights + np.multiply.outer(supposed, counts))
    return np.asarray(block.canary_events * (supposed - tolerated) - (suspected - normal))


def log_capital(blocks: Sequence[Block], tolerated_odds: float) -> Floats:
    """Logarithm of the capital after each minute, [minutes], that started as 1 and bet on the canary's odds of
    the event being more than ``tolerated_odds`` times the stable's."""
    payouts = [log_payouts(block, tolerated_odds) for block in blocks]
    return grow(np.reshape(payouts, (len(blocks), len(WORSE))), LIKELY)


def log_capital_without_loudest(blocks: Sequence[Block], tolerated_odds: float) -> Floats:
    """As `log_capital`, but at each look the `LOUDEST` best minutes of each bet so far do not count: trouble that
    is over after so many minutes is not the canary's, or is past."""
    payouts = np.reshape([log_payouts(block, tolerated_odds) for block in blocks], (len(blocks), len(WORSE)))
    capital = np.zeros(len(blocks))
    for count in range(LOUDEST + 1, len(blocks) + 1):
        sober = payouts[:count].copy()
        loudest = np.argsort(sober, axis=0)[-LOUDEST:]
        np.put_along_axis(sober, loudest, np.minimum(np.take_along_axis(sober, loudest, axis=0), 0.0), axis=0)
        capital[count - 1] = grow(sober, LIKELY)[-1]
    return capital


def log_capital_both_ways(
    blocks: Sequence[Block],
    tolerated_odds: float,
    capital: Callable[[Sequence[Block], float], Floats] = log_capital,
) -> Floats:
    """As ``capital``, with half of it each on the event being too frequent and too rare."""
    more = capital(blocks, tolerated_odds)
    less = capital([block.without_events() for block in blocks], tolerated_odds)
    return np.logaddexp(more, less) - math.log(2)


def log_capital_against_share(counts: Iterable[tuple[int, int]], tolerated_share: float) -> Floats:
    """Logarithm of the capital after each minute's (requests, events) that bet on a share of events above
    ``tolerated_share``, for events that no concurrent stable version can be compared with."""
    shares = WORSE_SHARES[tolerated_share < WORSE_SHARES]
    hit, miss = np.log(shares / tolerated_share), np.log((1 - shares) / (1 - tolerated_share))
    payouts = [events * hit + (requests - events) * miss for requests, events in counts]
    return grow(np.reshape(payouts, (len(payouts), len(shares))), np.full(len(shares), 1 / len(shares)))


def grow(log_payouts: Floats, likely: Floats) -> Floats:
    """Logarithm of the capital after each minute, [..., minutes], from payouts [..., minutes, bets].

    Stakes are spread over the bets as ``likely``, and over the minute in which betting begins: `AT_ONCE` at the
    first, the rest held back for trouble that starts later, which early healthy minutes would else have bet away.
    """
    begin = np.arange(log_payouts.shape[-2])
    stakes = np.where(begin == 0, AT_ONCE, (1 - AT_ONCE) / np.maximum(begin * (begin + 1), 1))
    grown = np.cumsum(log_payouts, axis=-2)
    invested = np.log(np.multiply.outer(stakes, likely)) - (grown - log_payouts)
    running = _log_sum(np.logaddexp.accumulate(invested, axis=-2) + grown)
    return np.logaddexp(running, np.log((1 - AT_ONCE) / (begin + 1)))


def mix(log_capitals: Floats, stakes: Floats) -> Floats:
    """Logarithm of the capitals' sum by stake, over the last axis: an average of e-processes is an e-process."""
    return _log_sum(log_capitals + np.log(stakes))


def upper_bound(events: float, requests: float, alpha: float) -> float:
    """The bound above the share of events, at every look at once, with chance 1 - alpha; 1.0 without requests.

    The beta-binomial mixture of Robbins (1970), as in Howard et al., "Time-uniform, nonparametric, nonasymptotic
    confidence sequences" (2021), with Jeffreys' prior.
    """
    if events >= requests:
        return 1.0
    mixture = _log_beta(events + 0.5, requests - events + 0.5) - _log_beta(0.5, 0.5)

    def excluded(share: float) -> bool:
        likelihood = events * math.log(share) + (requests - events) * math.log1p(-share)
        return mixture - likelihood >= math.log(1 / alpha)

    low, high = max(events / requests, 1e-12), 1 - 1e-12
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if excluded(middle) else (middle, high)
    return high


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_choose(n: int, k: npt.NDArray[np.int64]) -> Floats:
    factorials = _log_factorials(n.bit_length())
    return np.asarray(factorials[n] - factorials[k] - factorials[n - k])


@lru_cache(maxsize=32)
def _log_factorials(bits: int) -> Floats:
    """ln 0! to ln (2**bits)!: one table for all numbers of the same length."""
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, 2**bits + 1)))))


def _log_sum(values: Floats) -> Floats:
    """ln of the sum of exponentials over the last axis."""
    top = values.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0])
