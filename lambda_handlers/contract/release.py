"""Names that the parts of a release share: verdicts, the hooks' environment, the judge's metric and event.

`infra` writes these names into alarms, rules and functions; `serinus.lambda_handlers.hooks` reads them.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """The judge's verdict on a canary."""

    PROMOTE = "promote"
    ROLL_BACK = "roll back"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


class Strategy(StrEnum):
    """How traffic shifts. The judge watches canary and linear during the shift, blue_green after the switch."""

    CANARY = "canary"
    LINEAR = "linear"
    BLUE_GREEN = "blue_green"
    ALL_AT_ONCE = "all_at_once"


class Inconclusive(StrEnum):
    """The decision when the bake ends without enough evidence."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"


#: Metric of the judge in `signals.METRIC_NAMESPACE`, by `DIMENSION_FUNCTION` and `DIMENSION_VERSION` (the
#: canary's): one data point a minute while a rollout is judged. An alarm on Minimum below 0 (missing data not
#: breaching) stops CodeDeploy. By `DIMENSION_FUNCTION` alone it shows that the judge runs, on any version.
METRIC_VERDICT = "Verdict"
VERDICT_VALUES = {Verdict.ROLL_BACK: -1.0, Verdict.NOT_ENOUGH_EVIDENCE: 0.0, Verdict.PROMOTE: 1.0}

#: Minutes before the end of a canary or linear shift by which the judge's last verdict is due: the time that
#: stopping CodeDeploy may take. The schedule's minute, a look, two minutes until a new metric is visible, a whole
#: minute for the alarm, and CodeDeploy's own polling of alarms.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
LAST_WORD_MINUTES = 5


def last_word_lead(bake_minutes: float) -> float:
    """Minutes before the end of a canary or linear bake by which the judge's last verdict is due. A bake that is
    too short for the alarm is judged for at least half of it; the hook after traffic then stops a bad release."""
    return min(LAST_WORD_MINUTES, bake_minutes / 2)


#: EventBridge: the judge's verdict at each look; detail as `Judgement.to_json` plus the rollout, and whether it is
#: ``final``.
EVENT_SOURCE = "serinus.judge"
EVENT_DETAIL_TYPE = "Serinus Rollout Verdict"

#: Environment of the hook functions. Required: the endpoint's function and alias; for judge and after_traffic
#: also CodeDeploy's application and group.
ENV_FUNCTION = "SERINUS_FUNCTION"
ENV_ALIAS = "SERINUS_ALIAS"
ENV_APPLICATION = "SERINUS_APPLICATION"
ENV_GROUP = "SERINUS_DEPLOYMENT_GROUP"
#: `Strategy`; default canary.
ENV_STRATEGY = "SERINUS_STRATEGY"
#: Whole minutes from the first shifted request to the end of the bake (of a linear shift: of all its steps).
ENV_BAKE_MINUTES = "SERINUS_BAKE_MINUTES"
#: `Inconclusive`; default promote.
ENV_INCONCLUSIVE = "SERINUS_INCONCLUSIVE"
#: Percentage of requests that the canary receives at first; with linear each step adds as much. Default 10.
ENV_SHARE_PERCENT = "SERINUS_SHARE_PERCENT"
#: linear: minutes between steps, 1 or more; default 2.
ENV_INTERVAL_MINUTES = "SERINUS_INTERVAL_MINUTES"
#: Live requests on the canary before the judge decides; default `MINIMUM_REQUESTS`.
ENV_MINIMUM_REQUESTS = "SERINUS_MINIMUM_REQUESTS"
MINIMUM_REQUESTS = 5
#: "1" lets a new version reject requests that the live one accepts, and change its outputs.
ENV_ALLOW_BREAKING = "SERINUS_ALLOW_BREAKING"
#: Milliseconds that a first request (init and scoring) and later ones may take in a probe; defaults 8000 and 2000.
ENV_COLD_LIMIT_MS = "SERINUS_COLD_LIMIT_MS"
ENV_WARM_LIMIT_MS = "SERINUS_WARM_LIMIT_MS"
#: Seconds after a minute's end before its metrics count as complete; default 120.
ENV_SETTLE_S = "SERINUS_SETTLE_S"
#: Milliseconds above which a duration is slow if the last hour had no traffic; default 1000.
ENV_SLOW_MS = "SERINUS_SLOW_MS"
#: The version that first_release checks: the stack's newest.
ENV_VERSION = "SERINUS_VERSION"
#: Versions that retire_versions keeps, the live one among them; 2 or more.
ENV_KEEP_VERSIONS = "SERINUS_KEEP_VERSIONS"


def hold_parameter(function: str) -> str:
    """Name of the SSM parameter in which after_traffic stores its pending hook for the judge (blue_green)."""
    return f"/serinus/{function}/held-deployment"


def objection_parameter(function: str) -> str:
    """Name of the SSM parameter in which the judge stores its objection to a deployment (canary, linear)."""
    return f"/serinus/{function}/objection"


#: The parameter's value as the stack creates it: no objection.
NO_OBJECTION = "{}"
