"""The judge by simulation: false rollbacks, live requests until a bad canary is caught, the traffic it needs."""

import argparse
from collections.abc import Callable, Sequence

from judging.blue_green_power import measure_blue_green_power
from judging.coverage import measure_coverage
from judging.detection import measure_detection
from judging.false_rollbacks import measure_false_rollbacks
from judging.power import measure_power, measure_traffic_needed
from judging.signals import measure_signals
from judging.simulation import Simulation
from table import Row, main

NOTE = (
    "Simulated rollouts, judged by the hooks' own functions at every minute. *Before*: the same traffic by the "
    "judge's former rules (every minute compared, also the shift's and the steps'; first responses counted as "
    "slow; numbers in each version's own bins; 30 requests required). A healthy release may be rolled back in at "
    "most 5 % of rollouts, whatever its traffic is like, and in at most 10 % with blue_green, which compares with "
    "the past: a figure above is MISSED. Other tests are calibrated, on healthy traffic of the same kind, to the "
    "judge's own rate of false rollbacks in 90 minutes; so calibrated, some need no more requests than the judge. "
    "What the judge adds is a guarantee that needs no calibration. Requests to detect a fault are the canary's, "
    "at 200 a minute of both versions together. Power is that of the default share and bake; the traffic needed "
    "is that of both versions together for 80 % power by the end of the bake, and 4 requests a minute is the "
    "least that was tried."
)
SECTIONS: dict[str, Callable[[Simulation], list[Row]]] = {
    "false-rollbacks": measure_false_rollbacks,
    "detection": measure_detection,
    "signals": measure_signals,
    "power": measure_power,
    "traffic-needed": measure_traffic_needed,
    "blue-green": measure_blue_green_power,
    "coverage": measure_coverage,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--only", choices=SECTIONS, action="append", help="measure only this part; repeatable")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the numbers of rollouts, for a trial")


def measure(options: argparse.Namespace) -> Sequence[Row]:
    """The rows of all parts, each with its ``section``."""
    simulation = Simulation.start(options.scale)
    with simulation.pool:
        return [row for name in options.only or SECTIONS for row in SECTIONS[name](simulation)]


if __name__ == "__main__":
    main("judge", measure, note=NOTE, arguments=arguments)
