"""How much more a version's events vary than independent ones would, and counts corrected for it.

Events that come in clumps (one client's retries, a dependency's outage) or drift tell less than as many
independent ones. Side by side this does no harm: whatever strikes strikes both versions. Where the versions did
not serve at the same time, and for a bound on one version alone, counts are divided by the factor by which the
stable version's own counts exceeded the variance of independent events: the quasi-Poisson correction of Wedderburn
(1974).
"""

from collections.abc import Sequence

import numpy as np

from serinus.lambda_handlers.hooks.evidence import Block, Floats

#: Fewer blocks do not show how much counts vary.
FEWEST_BLOCKS = 4


def overdispersion(counts: Sequence[tuple[int, int]], length: int) -> float:
    """Pearson's factor, at least 1, over blocks of ``length`` minutes of (requests, events). The block that
    differs most is left out, so that one outage does not hide all that comes after it."""
    usable = len(counts) // length * length
    blocks = np.array(counts[:usable], dtype=float).reshape(-1, length, 2).sum(axis=1)
    blocks = blocks[blocks[:, 0] > 0]
    if len(blocks) < FEWEST_BLOCKS:
        return 1.0
    usual = np.delete(blocks, np.argmax(_squares(blocks)), axis=0)
    return max(1.0, float(_squares(usual).sum() / (len(usual) - 1)))


def _squares(blocks: Floats) -> Floats:
    """Squared deviations of the blocks' events from the common share, in variances of independent events."""
    requests, events = blocks[:, 0], blocks[:, 1]
    share = events.sum() / requests.sum()
    variance = requests * share * (1 - share)
    return np.asarray(np.where(variance > 0, (events - requests * share) ** 2 / np.maximum(variance, 1e-12), 0.0))


def thin(blocks: Sequence[Block], factor: float) -> list[Block]:
    """``blocks`` with all counts divided by ``factor``; what rounding leaves over is carried to the next block."""
    if factor == 1.0:
        return list(blocks)
    table = [
        (
            block.canary - block.canary_events,
            block.canary_events,
            block.stable - block.stable_events,
            block.stable_events,
        )
        for block in blocks
    ]
    sums = np.round(np.cumsum(np.reshape(table, (-1, 4)), axis=0) / factor).astype(int)
    thinned = np.diff(sums, axis=0, prepend=0)
    return [Block(int(a + b), int(b), int(c + d), int(d)) for a, b, c, d in thinned]
