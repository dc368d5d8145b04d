"""What a release's parts call each other by: verdicts, the hooks' environment, the judge's metric and event.

`infra` writes these names into alarms, rules and functions; `serinus.lambda_handlers.hooks` acts by them.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What the judge says of a canary."""

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
    """What follows when the bake ends without enough evidence."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"


#: Metric of the judge in `signals.METRIC_NAMESPACE`, by `DIMENSION_FUNCTION` and `DIMENSION_VERSION` (the
#: canary's): one data point a minute while a rollout is judged. An alarm on Minimum below 0 (missing data not
#: breaching) stops CodeDeploy. By `DIMENSION_FUNCTION` alone it tells that the judge speaks, of whichever version.
METRIC_VERDICT = "Verdict"
VERDICT_VALUES = {Verdict.ROLL_BACK: -1.0, Verdict.NOT_ENOUGH_EVIDENCE: 0.0, Verdict.PROMOTE: 1.0}

#: Minutes before the end of a canary or linear shift by which the judge speaks its last word: what it may take to
#: stop CodeDeploy by it. The schedule's minute, a look, two minutes until a new metric is seen, a whole minute for
#: the alarm, and CodeDeploy's own looking at alarms.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
LAST_WORD_MINUTES = 5

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
#: Live requests on the canary before the judge compares; default 20.
ENV_MINIMUM_REQUESTS = "SERINUS_MINIMUM_REQUESTS"
#: "1" lets a new version refuse what the live one accepts, and change its outputs.
ENV_ALLOW_BREAKING = "SERINUS_ALLOW_BREAKING"
#: Milliseconds that a first request (init and scoring) and later ones may take in a probe; defaults 8000 and 2000.
ENV_COLD_LIMIT_MS = "SERINUS_COLD_LIMIT_MS"
ENV_WARM_LIMIT_MS = "SERINUS_WARM_LIMIT_MS"
#: Seconds after a minute's end before its metrics count as complete; default 60.
ENV_SETTLE_S = "SERINUS_SETTLE_S"
#: Milliseconds above which a duration is slow where the last hour's traffic cannot tell; default 1000.
ENV_SLOW_MS = "SERINUS_SLOW_MS"
#: The version that first_release checks: whatever the stack's newest one is.
ENV_VERSION = "SERINUS_VERSION"
#: Versions that retire_versions keeps, the live one among them; 2 or more.
ENV_KEEP_VERSIONS = "SERINUS_KEEP_VERSIONS"


def hold_parameter(function: str) -> str:
    """Name of the SSM parameter by which after_traffic hands a held deployment to the judge (blue_green)."""
    return f"/serinus/{function}/held-deployment"


def objection_parameter(function: str) -> str:
    """Name of the SSM parameter in which the judge leaves what it has against a deployment (canary, linear)."""
    return f"/serinus/{function}/objection"


#: What the stack writes into it: nothing is objected to.
NO_OBJECTION = "{}"
