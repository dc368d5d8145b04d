"""The measurements of the monitor itself, with the limits to which they are held."""

from dataclasses import replace

from table import Row

from serinus.lambda_handlers.monitoring.clocks import ClockSettings
from watching.figures import Measurement, delays, false_months
from watching.months import Watch
from watching.traffic import DRIFTS, Kind

PLAIN = ClockSettings(season="none", rows="independent")
DEFAULT = ClockSettings()
SEEDS = 200
MONTH_DAYS = 30
FALSE_LIMIT_PERCENT = 2.0
ROWS_AN_HOUR = (200, 1_000, 10_000)
#: Hours to a drift's alarm, by rows an hour.
PLAIN_LIMITS = {
    200: {"0.5 sd": 3, "0.25 sd": 10, "category by 10 points": 5, "5 % missing": 4},
    1_000: {"0.5 sd": 1, "0.25 sd": 3, "category by 10 points": 2, "5 % missing": 1},
}
FAST_LIMIT_H, SLOW_LIMIT_H = 6, 26
INDEPENDENT = Kind("independent", 1_000)
#: What the default is made for ...
HELD = (
    INDEPENDENT,
    Kind("clustered", 1_000, cluster=10),
    Kind("seasonal", 1_000, season=0.3),
    Kind("clustered and seasonal", 1_000, cluster=10, season=0.3),
)
#: ... and what it is not.
WANDERING = Kind("wandering", 1_000, wander=0.05)
#: Days before a drift: while the fast clock's tolerance is supposed, and once it is learned.
EARLY_DAY, LEARNED_DAY = 3, 16


def measure_plain_false_months(measurement: Measurement) -> list[Row]:
    """One row for each traffic."""
    rows = []
    for number in ROWS_AN_HOUR:
        watch = Watch(replace(INDEPENDENT, rows_an_hour=number), PLAIN, (), MONTH_DAYS, 0, 1)
        (alarms,) = measurement.watch(watch, SEEDS)
        row = {"section": "Plain: months without drift", "rows an hour": number}
        rows.append(row | false_months(alarms, FALSE_LIMIT_PERCENT))
        measurement.say(f"plain, {number} rows an hour: {rows[-1]['false months']} false months")
    return rows


def measure_plain_delays(measurement: Measurement) -> list[Row]:
    """One row for each drift and traffic."""
    rows = []
    for number in ROWS_AN_HOUR:
        watch = Watch(replace(INDEPENDENT, rows_an_hour=number), PLAIN, DRIFTS, EARLY_DAY, 96, 2)
        limits = PLAIN_LIMITS.get(number, {})
        for drift, alarms in zip(DRIFTS, measurement.watch(watch, SEEDS), strict=True):
            row = {"section": "Plain: hours until a drift is found", "rows an hour": number, "drift": drift.name}
            rows.append(row | delays(alarms, limits.get(drift.name)))
            measurement.say(f"plain, {number} rows an hour, {drift.name}: {rows[-1]['median h']} h")
    return rows


def measure_plain_failures(measurement: Measurement) -> list[Row]:
    """One row for each kind of traffic that voids the plain configuration's guarantee."""
    rows = []
    for kind in (*HELD[1:], WANDERING):
        (alarms,) = measurement.watch(Watch(kind, PLAIN, (), MONTH_DAYS, 0, 3), 40)
        row = {"section": "Plain: months without drift, of traffic that it is not for", "traffic": kind.name}
        rows.append(row | {"rows an hour": kind.rows_an_hour} | false_months(alarms, None))
        measurement.say(f"plain, {kind.name}: {rows[-1]['false %']} % false")
    return rows


def measure_default_false_months(measurement: Measurement) -> list[Row]:
    """One row for each kind of traffic."""
    rows = []
    kinds = [(kind, SEEDS, FALSE_LIMIT_PERCENT) for kind in HELD]
    kinds.append((Kind("clustered and seasonal", 10_000, cluster=10, season=0.3), 60, FALSE_LIMIT_PERCENT))
    kinds += [(WANDERING, 60, None), (replace(WANDERING, wander=0.1, name="wandering, 0.1 sd"), 60, None)]
    for kind, seeds, limit in kinds:
        (alarms,) = measurement.watch(Watch(kind, DEFAULT, (), MONTH_DAYS, 0, 4), seeds)
        row = {"section": "Default: months without drift", "traffic": kind.name, "rows an hour": kind.rows_an_hour}
        rows.append(row | false_months(alarms, limit))
        measurement.say(f"default, {kind.name}: {rows[-1]['false months']} of {rows[-1]['months']} months false")
    return rows


def measure_default_delays(measurement: Measurement) -> list[Row]:
    """One row for each kind of traffic and drift, in the first days and after the tolerance was learned."""
    rows = []
    for day, when in ((EARLY_DAY, "first days"), (LEARNED_DAY, "after two weeks")):
        for kind in HELD:
            watch = Watch(kind, DEFAULT, DRIFTS, day, 96, 5)
            for drift, alarms in zip(DRIFTS, measurement.watch(watch, 100), strict=True):
                row = {
                    "section": f"Default: hours until a drift is found, {when}",
                    "traffic": kind.name,
                    "rows an hour": kind.rows_an_hour,
                    "drift": drift.name,
                }
                rows.append(row | delays(alarms, FAST_LIMIT_H if drift.shift == 0.5 else SLOW_LIMIT_H))
                measurement.say(f"default, {when}, {kind.name}, {drift.name}: {rows[-1]['median h']} h")
    return rows
