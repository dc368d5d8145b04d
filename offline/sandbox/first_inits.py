"""How much longer the first inits of a new version take: on Lambda, code and layers are fetched as they are read.

AWS states no figure. https://www.usenix.org/conference/atc23/presentation/brooker describes the loading on demand.
"""

import random
from collections import Counter

from serinus.offline.core.config import CloudConfig
from serinus.offline.sandbox.spec import FunctionSpec

#: So many inits of a version fetch what later ones find in a cache.
FETCHING_INITS = 10


class FirstInits:
    """Draws the delay of each init; the same seed draws the same delays again."""

    def __init__(self, config: CloudConfig) -> None:
        self._delay = config.readings.first_init_delay
        self._source = random.Random(config.seed)
        self._inits: Counter[tuple[str, str, str]] = Counter()

    def delay_s(self, spec: FunctionSpec) -> float:
        """Real seconds by which an init of this version that begins now is longer; 0 of one not published."""
        if not self._delay or not spec.version.isdecimal():
            return 0.0
        version = (spec.region, spec.name, spec.version)
        self._inits[version] += 1
        return self._delay.sample(self._source) if self._inits[version] <= FETCHING_INITS else 0.0
