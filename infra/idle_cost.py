"""What finished templates cost in a month without a single request, at list prices, by resource.

`python -m serinus.infra.idle_cost FOLDER` prints it for a cloud assembly, such as `cdk.out`.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.infra import prices
from serinus.lambda_handlers.contract.monitored import ENV_MONITORED
from serinus.lambda_handlers.contract.release import ENV_KEEP_VERSIONS

Template = Mapping[str, Any]
Properties = Mapping[str, Any]

#: Seconds of an idle look of the judge: a call of CodeDeploy, no release. Not measured on AWS: taken as long.
IDLE_LOOK_S = 0.2
#: Bytes that Lambda logs of one, START to REPORT.
IDLE_LOOK_LOG_BYTES = 337
#: Seconds of the monitor's look, which comes so seldom that each is a cold start with NumPy. Not measured on AWS.
HOURLY_LOOK_S = 3.0
#: Alarms that target tracking makes for one policy, each on one metric.
_TRACKING_ALARMS = 2
_BYTES_A_GB = 2**30
_MB_A_GB = 1024
_FAST_S = 60
_HOUR_S = 3600

#: Types that cost nothing until they are used.
FREE = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::BasePathMapping",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::ApiGateway::UsagePlan",
        "AWS::ApiGateway::UsagePlanKey",
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::ApiMapping",
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::DomainName",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::CDK::Metadata",
        "AWS::Chatbot::MicrosoftTeamsChannelConfiguration",
        "AWS::Chatbot::SlackChannelConfiguration",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentConfig",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
        "AWS::Logs::SubscriptionFilter",
        "AWS::Route53::RecordSet",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SSM::Parameter",
        "AWS::WAFv2::WebACLAssociation",
        "Custom::SerinusFirstRelease",
    }
)


@dataclass(frozen=True, slots=True)
class IdleCost:
    """US dollars a month for ``count`` units of ``what``, by the template's resource ``resource``."""

    resource: str
    what: str
    count: int
    dollars: float


def idle_costs(template: Template) -> list[IdleCost]:
    """All that the stack of ``template`` costs while it is idle, largest first."""
    costs = [
        cost
        for name, resource in template["Resources"].items()
        for cost in _PRICED.get(resource["Type"], _nothing)(template, name, resource.get("Properties", {}))
    ]
    return sorted(costs, key=lambda cost: (-cost.dollars, cost.resource))


def unpriced_types(template: Template) -> list[str]:
    """Types of resources whose price is not known here."""
    types = {resource["Type"] for resource in template["Resources"].values()}
    return sorted(types - FREE - set(_PRICED))


def total(templates: Sequence[Template]) -> float:
    """US dollars a month for all ``templates``."""
    return sum(cost.dollars for template in templates for cost in idle_costs(template))


def _nothing(_template: Template, _name: str, _properties: Properties) -> Iterator[IdleCost]:
    return iter(())


def _alarm(_template: Template, name: str, alarm: Properties) -> Iterator[IdleCost]:
    queried = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    periods = queried or [alarm["Period"]]
    price = prices.PER_FAST_ALARM_METRIC if min(periods) < _FAST_S else prices.PER_ALARM_METRIC
    yield IdleCost(name, "alarm metric", len(periods), price * len(periods))


def _composite_alarm(_template: Template, name: str, _alarm: Properties) -> Iterator[IdleCost]:
    yield IdleCost(name, "composite alarm", 1, prices.PER_COMPOSITE_ALARM)


def _dashboard(_template: Template, name: str, _dashboard: Properties) -> Iterator[IdleCost]:
    yield IdleCost(name, "dashboard", 1, prices.PER_DASHBOARD)


def _key(_template: Template, name: str, _key: Properties) -> Iterator[IdleCost]:
    yield IdleCost(name, "KMS key", 1, prices.PER_KMS_KEY)


def _web_acl(_template: Template, name: str, acl: Properties) -> Iterator[IdleCost]:
    rules = len(acl.get("Rules", []))
    yield IdleCost(name, "rule, with their web ACL", rules, prices.PER_WEB_ACL + rules * prices.PER_WEB_ACL_RULE)


def _tracking(_template: Template, name: str, _policy: Properties) -> Iterator[IdleCost]:
    yield IdleCost(name, "alarm of target tracking", _TRACKING_ALARMS, _TRACKING_ALARMS * prices.PER_ALARM_METRIC)


def _rule(template: Template, name: str, rule: Properties) -> Iterator[IdleCost]:
    """What a scheduled rule invokes, and what that logs."""
    each_s = _period_s(rule.get("ScheduleExpression", ""))
    if each_s is None:
        return
    invocations = prices.SECONDS_A_MONTH // each_s
    look_s = HOURLY_LOOK_S if each_s >= _HOUR_S else IDLE_LOOK_S
    for target in rule["Targets"]:
        invoked = template["Resources"].get(_logical_id(target["Arn"]), {"Type": ""})
        if invoked["Type"] != "AWS::Lambda::Function":
            continue
        function = invoked["Properties"]
        per_second = _gigabytes(function) * prices.PER_GB_SECOND[_architecture(function)]
        logged = IDLE_LOOK_LOG_BYTES / _BYTES_A_GB * prices.PER_LOGGED_GB
        each = prices.PER_MILLION_INVOCATIONS / 1e6 + look_s * per_second + logged
        yield IdleCost(name, "scheduled invocation, with its log", invocations, invocations * each)


def _period_s(schedule: str) -> int | None:
    """Seconds between two runs of a schedule: a rate, or a minute of each hour."""
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    if rate is not None:
        return int(rate[1]) * {"minute": 60, "hour": 3600, "day": 86_400}[rate[2]]
    return _HOUR_S if re.fullmatch(r"cron\(\d+ \* \* \* \? \*\)", schedule) else None


def _alias(template: Template, name: str, alias: Properties) -> Iterator[IdleCost]:
    """Environments that the alias keeps ready."""
    config = alias.get("ProvisionedConcurrencyConfig")
    if config is None:
        return
    function = template["Resources"][_logical_id(alias["FunctionName"])]["Properties"]
    count = int(config["ProvisionedConcurrentExecutions"])
    per_second = _gigabytes(function) * prices.PROVISIONED_PER_GB_SECOND[_architecture(function)]
    yield IdleCost(name, "environment kept ready", count, count * per_second * prices.SECONDS_A_MONTH)


def _function(template: Template, name: str, function: Properties) -> Iterator[IdleCost]:
    """Snapshots of the versions that are kept after some releases; and the metrics of a monitor, one for each
    endpoint, called or not."""
    variables = function.get("Environment", {}).get("Variables", {})
    if ENV_MONITORED in variables:
        count = len(json.loads(variables[ENV_MONITORED]))
        yield IdleCost(name, "metric of an endpoint's findings", count, count * prices.PER_CUSTOM_METRIC)
    if function.get("SnapStart", {}).get("ApplyOn") != "PublishedVersions":
        return
    count = max(_kept_versions(template), default=1)
    each = _gigabytes(function) * prices.SNAPSHOT_PER_GB_SECOND * prices.SECONDS_A_MONTH
    yield IdleCost(name, "snapshot of a kept version", count, count * each)


def _kept_versions(template: Template) -> Iterator[int]:
    for resource in template["Resources"].values():
        variables = resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
        if ENV_KEEP_VERSIONS in variables:
            yield int(variables[ENV_KEEP_VERSIONS])


def _gigabytes(function: Properties) -> float:
    return float(function.get("MemorySize", 128)) / _MB_A_GB


def _architecture(function: Properties) -> str:
    return str(function.get("Architectures", ["x86_64"])[0])


def _logical_id(reference: Any) -> str:
    """The resource that a Ref or a Fn::GetAtt names."""
    if isinstance(reference, dict):
        return str(reference.get("Ref") or reference.get("Fn::GetAtt", [""])[0])
    return ""


_PRICED: Mapping[str, Callable[[Template, str, Properties], Iterator[IdleCost]]] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": _tracking,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _composite_alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Events::Rule": _rule,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::Function": _function,
    "AWS::WAFv2::WebACL": _web_acl,
}


def read_templates(assembly: Path) -> dict[str, Template]:
    """The templates of a cloud assembly, by stack."""
    artifacts = json.loads((assembly / "manifest.json").read_bytes())["artifacts"]
    return {
        name: json.loads((assembly / artifact["properties"]["templateFile"]).read_bytes())
        for name, artifact in sorted(artifacts.items())
        if artifact["type"] == "aws:cloudformation:stack"
    }


def describe_total(templates: Mapping[str, Template]) -> str:
    """One line: what the stacks cost while idle, and what of it is not known."""
    dollars = total(list(templates.values()))
    unpriced = sorted({kind for template in templates.values() for kind in unpriced_types(template)})
    without = f", without {', '.join(unpriced)}" if unpriced else ""
    return f"idle: {dollars:.2f} dollars a month at list prices{without} (docs/costs.md)"


def main(assembly: Path) -> None:
    """Print each resource's cost, and the total, in US dollars a month."""
    templates = read_templates(assembly)
    for stack, template in templates.items():
        for cost in idle_costs(template):
            print(f"{cost.dollars:8.2f}  {stack}  {cost.resource}: {cost.count} x {cost.what}")
    print(describe_total(templates))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
