"""Where AWS's behaviour is not documented, or documented in one line: which behaviour this cloud plays.

Each field of `Readings` is one such doubt. A release must be right under every value, so a cloud can be started
with any of them (`--reading NAME=VALUE`, `--readings FILE`), and a benchmark can go through their combinations. A
default is what an AWS page documents; where none does, it is the value under which a release without a guard goes
wrong.
"""

import dataclasses
import json
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_type_hints

from serinus.offline.core.errors import OfflineError

DOCS = "https://docs.aws.amazon.com"
ISSUES = "https://github.com"
NOT_DOCUMENTED = "not documented"
LONGEST_S = 3600.0
#: Lambda's error where `alias_with_provisioned` is refused.
WEIGHTS_WITH_PROVISIONED = "Alias with weights can not be used with Provisioned Concurrency"


class InvalidReading(OfflineError):
    """A name that no reading has, a value that it cannot have, or a file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """A duration in seconds, or a uniform distribution between two: "90", "30..120"."""

    low: float
    high: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError unless ``text`` is a number from 0 to 3600, or two of them in order around ``..``."""
        low, dots, high = text.partition("..")
        bounds = cls(float(low), float(high) if dots else float(low))
        if not 0 <= bounds.low <= bounds.high <= LONGEST_S:
            raise ValueError(text)
        return bounds

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}..{self.high:g}"

    def __bool__(self) -> bool:
        return self.high > 0

    def sample(self, source: random.Random) -> float:
        """A duration; ``source`` is not used for a fixed one."""
        return self.low if self.low == self.high else source.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known of one reading: ``says`` is what AWS's ``page`` states, or what people report."""

    meaning: str
    says: str
    #: The module that plays it, below `offline/`.
    module: str
    #: The AWS page, or "not documented".
    page: str = NOT_DOCUMENTED
    #: The values that a benchmark tries, if any duration is possible.
    durations: tuple[str, ...] = ()
    name: str = ""
    #: All values; of a duration, ``durations``.
    values: tuple[str, ...] = ()
    default: str = ""

    @property
    def choices(self) -> str:
        """The values, for messages and tables."""
        return "SECONDS or SECONDS..SECONDS" if self.durations else ", ".join(self.values)


AT_ONCE = Seconds(0, 0)
A_MINUTE = Seconds(60, 60)


@dataclass(frozen=True, slots=True)
class Readings:
    """One value for each doubt. Durations are in cloud seconds, but `first_init_delay`, which is in real ones."""

    metric_delay: Annotated[
        Seconds,
        Doubt(
            durations=("0", "90", "30..120"),
            meaning="time until a value that was sent is seen by alarms and queries",
            says="no bound; for embedded metrics, flushing cannot be controlled and M out of N alarms are advised",
            page=f"{DOCS}/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Alarms.html",
            module="services/cloudwatch/visibility.py",
        ),
    ] = AT_ONCE
    new_metric_delay: Annotated[
        Seconds,
        Doubt(
            durations=("0", "120", "0..120"),
            meaning="the same for the values of a metric's first five minutes, where this is longer",
            says="up to two minutes until statistics of a new metric can be read",
            page=f"{DOCS}/AmazonCloudWatch/latest/monitoring/publishingMetrics.html",
            module="services/cloudwatch/visibility.py",
        ),
    ] = AT_ONCE
    list_metrics_delay: Annotated[
        Seconds,
        Doubt(
            durations=("0", "900"),
            meaning="time until a new metric is in ListMetrics, and on AWS in what SEARCH finds",
            says="up to fifteen minutes",
            page=f"{DOCS}/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html",
            module="services/cloudwatch/visibility.py",
        ),
    ] = AT_ONCE
    empty_series: Annotated[
        Literal["filled", "not-filled"],
        Doubt(
            meaning="FILL over a metric that never had a value",
            says="FILL fills the missing values of a time series; nothing is said of one that does not exist",
            module="services/cloudwatch/queries.py",
        ),
    ] = "not-filled"
    executed_version: Annotated[
        Literal["always", "while-weighted"],
        Doubt(
            meaning="when the metrics of a call by alias have the dimension ExecutedVersion",
            says="it only applies to alias invocations; weights are not mentioned",
            page=f"{DOCS}/lambda/latest/dg/monitoring-metrics-view.html",
            module="services/lambda_/metrics.py",
        ),
    ] = "always"
    throttled_version: Annotated[
        Literal["present", "absent"],
        Doubt(
            meaning="whether a throttled call by alias counts under an ExecutedVersion, although none executed it",
            says="throttled calls are not mentioned",
            module="services/lambda_/metrics.py",
        ),
    ] = "absent"
    alarm_polling: Annotated[
        Seconds,
        Doubt(
            durations=("0", "15", "60"),
            meaning="time between two looks of a deployment at its alarms; 0: it stops as an alarm fires",
            says="alarms are polled (ignorePollAlarmFailure), at no stated interval",
            module="services/codedeploy/state_machine.py",
        ),
    ] = A_MINUTE
    schedule_delay: Annotated[
        Seconds,
        Doubt(
            durations=("0", "0..59"),
            meaning="time between the instant of a schedule and the call of its target",
            says="a minute is the finest resolution, and there can be a delay of several seconds",
            page=f"{DOCS}/eventbridge/latest/userguide/eb-create-rule-schedule.html",
            module="services/events/rules.py",
        ),
    ] = AT_ONCE
    hooks_in_rollback: Annotated[
        Literal["yes", "no"],
        Doubt(
            meaning="whether a rollback's deployment runs hooks: those of the last revision that was deployed",
            says="a rollback is a new deployment of the last revision",
            module="services/codedeploy/rollback.py",
        ),
    ] = "yes"
    alarms_in_rollback: Annotated[
        Literal["yes", "no"],
        Doubt(
            meaning="whether alarms stop a rollback's deployment",
            says="an alarm that stops a deployment lets the last revision be deployed; with yes, none could be",
            page=f"{DOCS}/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html",
            module="services/codedeploy/rollback.py",
        ),
    ] = "no"
    function_info_in_hooks: Annotated[
        Literal["present", "absent"],
        Doubt(
            meaning="whether a deployment's target has its lambdaFunctionInfo before traffic is shifted",
            says="the member is optional",
            module="services/codedeploy/shapes.py",
        ),
    ] = "absent"
    target_version_weight: Annotated[
        Literal["fraction", "percentage"],
        Doubt(
            meaning="the unit of targetVersionWeight",
            says="the percentage of production traffic that the target version receives",
            page=f"{DOCS}/codedeploy/latest/APIReference/API_LambdaFunctionInfo.html",
            module="services/codedeploy/shapes.py",
        ),
    ] = "percentage"
    stack_alias_rollback: Annotated[
        Literal["direct", "codedeploy", "slow", "stuck"],
        Doubt(
            meaning="how a stack that rolls back returns an alias whose shift had succeeded: by UpdateAlias, by a "
            "deployment with hooks and alarms, by UpdateAlias after half an hour, or not at all",
            says="the policy performs a deployment when an alias's version changes; rollbacks are not mentioned",
            page=f"{DOCS}/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html",
            module="services/cloudformation/resources/lambda_/alias_rollback.py",
        ),
    ] = "codedeploy"
    stack_operation_limit: Annotated[
        Literal["36-hours", "none"],
        Doubt(
            meaning="time after which an operation on a stack fails",
            says="CloudFormation operations time out after 36 hours",
            page=f"{DOCS}/AWSCloudFormation/latest/UserGuide/aws-properties-ecs-service-canaryconfiguration.html",
            module="services/cloudformation/operation.py",
        ),
    ] = "36-hours"
    alias_several_properties: Annotated[
        Literal["applied", "ignored", "refused"],
        Doubt(
            meaning="another new property of an alias whose version CodeDeploy shifts in the same update",
            says="other properties are not mentioned",
            module="services/cloudformation/resources/lambda_/alias.py",
        ),
    ] = "refused"
    update_policy_order: Annotated[
        Literal["yes", "no"],
        Doubt(
            meaning="whether a reference in an UpdatePolicy orders resources, as one in a property does",
            says="references in properties and DependsOn order resources",
            module="services/cloudformation/operation.py",
        ),
    ] = "no"
    alias_with_provisioned: Annotated[
        Literal["accepted", "refused"],
        Doubt(
            meaning="weights on an alias with provisioned concurrency, and a change of both in one stack update",
            says=f"people meet '{WEIGHTS_WITH_PROVISIONED}' "
            f"({ISSUES}/hashicorp/terraform/issues/24957, {ISSUES}/aws/serverless-application-model/issues/1296)",
            module="services/lambda_/aliases.py",
        ),
    ] = "refused"
    first_init_delay: Annotated[
        Seconds,
        Doubt(
            durations=("0", "1.5", "1..3"),
            meaning="what the first ten inits of a published version take longer, in real seconds",
            says="no figure; code and layers are fetched as they are read",
            module="sandbox/first_inits.py",
        ),
    ] = AT_ONCE
    environment_idle_limit: Annotated[
        Seconds,
        Doubt(
            durations=("600", "3600"),
            meaning="how long an environment without requests is kept",
            says="environments are ended every few hours, and no time is stated for idle ones",
            page=f"{DOCS}/lambda/latest/dg/lambda-runtime-environment.html",
            module="services/lambda_/service.py",
        ),
    ] = Seconds(600.0, 600.0)
    role_propagation: Annotated[
        Seconds,
        Doubt(
            durations=("0", "2", "10"),
            meaning="time until a new role, or a change of its policies, acts on a function's calls",
            says="CloudFormation checks that what it created is fully operational; IAM itself states no bound",
            page=f"{DOCS}/AWSCloudFormation/latest/UserGuide/stack-resource-configuration-complete.html",
            module="authorization/role_propagation.py",
        ),
    ] = AT_ONCE
    delete_function_resource: Annotated[
        Literal["function", "version"],
        Doubt(
            meaning="the resource on which DeleteFunction of one version must be allowed",
            says="DeleteFunction is listed with the resource type function alone",
            page=f"{DOCS}/service-authorization/latest/reference/list_awslambda.html",
            module="authorization/resources.py",
        ),
    ] = "function"
    usage_plans: Annotated[
        Literal["exact", "best-effort"],
        Doubt(
            meaning="whether calls beyond a usage plan's quota and rate are all refused, or one in five passes",
            says="throttling and quotas are not hard limits and are applied on a best-effort basis",
            page=f"{DOCS}/apigateway/latest/developerguide/api-gateway-api-usage-plans.html",
            module="services/apigateway/serving/admission.py",
        ),
    ] = "best-effort"
    waf_reserved_names: Annotated[
        Literal["case-sensitive", "case-insensitive"],
        Doubt(
            meaning="whether a metric named all is one of the names reserved for AWS WAF, as All is",
            says="names reserved for WAF are refused, for example All and Default_Action; case is not mentioned",
            module="services/wafv2/rules.py",
        ),
    ] = "case-insensitive"

    @classmethod
    def doubts(cls) -> tuple[Doubt, ...]:
        """Every reading, in order."""
        return tuple(_doubts().values())

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(_doubts())

    @classmethod
    def values_of(cls, name: str) -> tuple[str, ...]:
        """All values of a reading; of a duration, those that a benchmark tries. Raises `InvalidReading`."""
        return _doubt(name).values

    @classmethod
    def parse(cls, name: str, value: str) -> str | Seconds:
        """The value of reading ``name`` that ``value`` writes; raises `InvalidReading` with what is possible."""
        doubt = _doubt(name)
        if not doubt.durations:
            if value in doubt.values:
                return value
        else:
            try:
                return Seconds.parse(value)
            except ValueError:
                pass
        limit = f" of at most {LONGEST_S:g}" if doubt.durations else ""
        raise InvalidReading(f"reading {name} is {value!r}; it must be {doubt.choices}{limit}")

    @classmethod
    def assignments(cls, pairs: Iterable[str]) -> dict[str, str]:
        """The values by name that arguments ``NAME=VALUE`` set; raises `InvalidReading`."""
        values = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not equals:
                raise InvalidReading(f"{pair!r} is not a reading; write NAME=VALUE, such as hooks-in-rollback=no")
            cls.parse(name, value)
            values[name] = value
        return values

    @classmethod
    def file(cls, path: Path) -> dict[str, str]:
        """The values by name that a JSON file sets, {"hooks-in-rollback": "no"}; raises `InvalidReading`."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidReading(f"readings cannot be read from {path}: {error}") from error
        if not isinstance(content, dict):
            raise InvalidReading(f"{path} must hold a JSON object of readings, name to value")
        values = {}
        for name, value in content.items():
            text = f"{value:g}" if isinstance(value, int | float) and math.isfinite(value) else value
            if not isinstance(text, str) or isinstance(value, bool):
                raise InvalidReading(f"{path}: reading {name} is {json.dumps(value)}; it must be a string")
            try:
                cls.parse(name, text)
            except InvalidReading as error:
                raise InvalidReading(f"{path}: {error}") from error
            values[name] = text
        return values

    def replaced(self, values: Mapping[str, str]) -> Self:
        """These readings with other values for some names; raises `InvalidReading`."""
        parsed: dict[str, Any] = {_field(name): self.parse(name, value) for name, value in values.items()}
        return dataclasses.replace(self, **parsed)

    def as_json(self) -> dict[str, str]:
        """Each reading's value by name, as a file of readings holds them."""
        return {name: str(getattr(self, _field(name))) for name in self.names()}

    def arguments(self) -> list[str]:
        """The command line of these readings, without those that have their default."""
        defaults = type(self)().as_json()
        changed = [f"{name}={value}" for name, value in self.as_json().items() if value != defaults[name]]
        return [part for pair in changed for part in ("--reading", pair)]


def _field(name: str) -> str:
    return name.replace("-", "_")


def _doubt(name: str) -> Doubt:
    doubt = _doubts().get(name)
    if doubt is None:
        raise InvalidReading(f"{name!r} is not a reading; the readings are {', '.join(_doubts())}")
    return doubt


@cache
def _doubts() -> dict[str, Doubt]:
    hints = get_type_hints(Readings, include_extras=True)
    doubts = {}
    for attribute in dataclasses.fields(Readings):
        name = attribute.name.replace("_", "-")
        kind, doubt = get_args(hints[attribute.name])
        values = doubt.durations or get_args(kind)
        doubts[name] = dataclasses.replace(doubt, name=name, values=values, default=str(attribute.default))
    return doubts
