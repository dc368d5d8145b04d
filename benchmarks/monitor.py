"""The monitor by simulation: months with a false alarm, hours until drift is found, and other tools beside it."""

import argparse
import sys
from collections.abc import Callable, Sequence

from table import Row, main
from watching.acs import measure_acs
from watching.coverage import measure_coverage
from watching.figures import Measurement
from watching.peers import measure_peers
from watching.sections import (
    measure_default_delays,
    measure_default_false_months,
    measure_plain_delays,
    measure_plain_failures,
    measure_plain_false_months,
)

NOTE = (
    "Simulated endpoints with 24 numbers (half of them rounded or often zero) and 6 categories, each with a "
    "baseline of its own of 5,000 rows, whose bands the functions of `serinus package` compute, watched by the "
    "monitor's own clocks for 30 days. *Plain* (independent rows, no season) looks each hour. *Default* has a "
    "slow clock that looks at whole days, three times a day, and a fast one that looks each hour, on blocks of "
    "5 minutes. A month is false if any clock alarms in it; *at most %* is the upper 95 % bound of the share of "
    "false months (Clopper and Pearson). Delays are hours until the first alarm after one column begins to "
    "drift, at an hour of each run's own. Seasonal traffic moves each number's mean by 0.3 standard deviations "
    "over the day, each at its own phase, and its volume by half; clustered rows come ten alike at a time; "
    "wandering means (autoregressive, 0.9 an hour, 0.05 standard deviations unless told) are real changes that "
    "last for hours, which no band contains. Other tools run with their documented defaults on independent "
    "rows, each in an environment of its own, one look an hour, for `--peer-minutes` each. Employment is read "
    "from NannyML's wheel. A figure beyond its limit is MISSED."
)
SECTIONS: dict[str, Callable[[Measurement], list[Row]]] = {
    "plain-false": measure_plain_false_months,
    "plain-delays": measure_plain_delays,
    "plain-failures": measure_plain_failures,
    "default-false": measure_default_false_months,
    "default-delays": measure_default_delays,
    "coverage": measure_coverage,
    "acs": measure_acs,
    "peers": measure_peers,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--only", choices=SECTIONS, action="append", help="measure only this part; repeatable")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the numbers of runs, for a trial")
    parser.add_argument("--processes", type=int, help="run so many simulations at once; all cores unless told")
    parser.add_argument("--peer-minutes", type=float, default=15, help="run each other tool for so long; 0: none")


def measure(options: argparse.Namespace) -> Sequence[Row]:
    """The rows of all parts, each with its ``section``."""
    measurement = Measurement.begin(options.scale, options.processes, options.peer_minutes)
    rows: list[Row] = []
    for name in options.only or SECTIONS:
        rows += SECTIONS[name](measurement)
        sys.stderr.flush()
    return rows


if __name__ == "__main__":
    main("monitor", measure, note=NOTE, arguments=arguments)
