"""What a check costs at most, and how long it takes, said before it begins."""

from dataclasses import dataclass

from serinus.cli.account_check.metric_delays import LISTED_SAMPLES, LONGEST_DELAY_S, REQUEST_SAMPLES, SENT_SAMPLES
from serinus.infra import prices

#: Dollars that a check must stay below.
LIMIT_DOLLARS = 5.0
#: Minutes on AWS if no reading is slow, estimated from what each step waits for: nothing was run there.
USUAL_MINUTES = 100
#: Hours that what is made stands at most, with the slowest readings.
LONGEST_HOURS = 4
_MEMORY_GB = 1.0
#: Seconds of functions, generously: requests, hooks, a judge each minute.
_FUNCTION_SECONDS = LONGEST_HOURS * 60 * 10
_INVOCATIONS = 5_000
#: Alarms of a release with several metrics each, of three releases.
_ALARM_METRICS = 60
_LOGGED_GB = 0.1
_LOOKS_PER_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class CostItem:
    """One part of the highest cost."""

    what: str
    dollars: float


def cost_items() -> list[CostItem]:
    """The parts of a check's cost, each at its most, at list prices without free tiers."""
    share_of_month = LONGEST_HOURS / prices.HOURS_A_MONTH
    samples = SENT_SAMPLES + 2 * REQUEST_SAMPLES
    metrics = SENT_SAMPLES + LISTED_SAMPLES + 40
    reads = 2 * samples * _LOOKS_PER_SAMPLE + LISTED_SAMPLES * LONGEST_DELAY_S + 3 * 25 * 60
    return [
        CostItem(
            "functions",
            _FUNCTION_SECONDS * _MEMORY_GB * prices.PER_GB_SECOND["x86_64"]
            + _INVOCATIONS / 1e6 * (prices.PER_MILLION_INVOCATIONS + prices.PER_MILLION_CALLS["rest"]),
        ),
        CostItem("alarms", _ALARM_METRICS * prices.PER_ALARM_METRIC * share_of_month),
        CostItem("custom metrics", metrics * prices.PER_CUSTOM_METRIC * share_of_month),
        CostItem("reading metrics", reads / 1000 * prices.PER_THOUSAND_METRICS_READ),
        CostItem("a dashboard, if it is billed for a whole month", prices.PER_DASHBOARD),
        CostItem("logs", _LOGGED_GB * prices.PER_LOGGED_GB),
        CostItem(
            "an environment kept ready for a minute, a web ACL for an hour",
            60 * _MEMORY_GB * prices.PROVISIONED_PER_GB_SECOND["x86_64"]
            + 2 * prices.PER_WEB_ACL / prices.HOURS_A_MONTH,
        ),
    ]


def highest_cost_dollars() -> float:
    """The sum of `cost_items`."""
    return sum(item.dollars for item in cost_items())
