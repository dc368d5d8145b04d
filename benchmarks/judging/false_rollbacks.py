"""How often a healthy release is rolled back, by what its traffic is like."""

from collections import Counter

import numpy as np
from table import Row

from judging.null_models import NullModel, null_models
from judging.simulation import Simulation

SECTION = "False rollbacks"


def measure_false_rollbacks(simulation: Simulation) -> list[Row]:
    """One row a null model."""
    return [_row(simulation, model) for model in null_models()]


def _row(simulation: Simulation, model: NullModel) -> Row:
    stops = simulation.stops(model.name, model.traffic, model.rollouts)
    before, now = (float(np.mean([pair[which].stopped for pair in stops])) for which in (0, 1))
    signals = Counter(pair[1].signal for pair in stops if pair[1].stopped)
    row = {
        "section": SECTION,
        "healthy release": model.name,
        "before %": round(100 * before, 1),
        "now %": round(100 * now, 1),
        "standard error": round(100 * float(np.sqrt(now * (1 - now) / len(stops))), 1),
        "rollouts": len(stops),
        "limit %": model.limit_percent,
        "held": "yes" if 100 * now <= model.limit_percent else "MISSED",
        "stopped by": ", ".join(f"{name} {count}" for name, count in signals.most_common()),
    }
    simulation.say(f"{model.name}: before {row['before %']} %, now {row['now %']} % {row['stopped by']}")
    return row
