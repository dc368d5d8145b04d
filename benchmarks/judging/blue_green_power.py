"""Which bad releases are caught after a switch at once, by how errors usually come: what its correction costs."""

import numpy as np
from table import Row

from judging.blue_green import KINDS, BlueGreenTraffic
from judging.simulation import Simulation

SECTION = "Caught after a switch (blue_green)"
ROLLOUTS = 200
BAKES = (15, 50)
#: Errors after the switch, in times of those before it.
WORSE = 5.0


def measure_blue_green_power(simulation: Simulation) -> list[Row]:
    """One row a kind of errors."""
    return [_row(simulation, kind) for kind in KINDS if not KINDS[kind].after_switch]


def _row(simulation: Simulation, kind: str) -> Row:
    # A longer bake begins like a shorter one: its first minutes are those of both.
    traffic = BlueGreenTraffic(kind, max(BAKES), worse=WORSE)
    stops = simulation.stops(f"blue_green x{WORSE:g} {kind}", traffic, ROLLOUTS)
    row: Row = {"section": SECTION, "errors, 5 times as many after the switch": kind}
    for rules, which in (("before", 0), ("now", 1)):
        minutes = np.array([pair[which].minute for pair in stops])
        for bake in BAKES:
            row[f"{rules}: % in {bake} minutes"] = round(100 * float((minutes < bake).mean()), 1)
        median = float(np.quantile(minutes, 0.5, method="higher"))
        row[f"{rules}: median minute"] = int(median) + 1 if np.isfinite(median) else None
    simulation.say(str(row))
    return {**row, "rollouts": len(stops)}
