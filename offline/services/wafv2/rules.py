"""Checks a web ACL's rules: rejects those that AWS rejects or this cloud does not evaluate."""

from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.readings import Readings
from serinus.offline.services.wafv2.managed import GROUPS, REFUSED

Document = dict[str, Any]

WINDOWS_S = (60, 120, 300, 600)
DEFAULT_WINDOW_S = 300
LEAST_LIMIT, LARGEST_LIMIT = 10, 2_000_000_000
#: Source: https://docs.aws.amazon.com/waf/latest/developerguide/limits.html
LARGEST_CAPACITY = 5000
RATE_CAPACITY = 2
#: Those that AWS names, as examples.
RESERVED_METRICS = ("All", "Default_Action")
ACTIONS = frozenset({"Allow", "Block", "Count"})


def invalid(field: str, parameter: str, reason: str) -> AwsError:
    message = f"Error reason: {reason}, field: {field}, parameter: {parameter}"
    return AwsError("WAFInvalidParameterException", message, Field=field, Parameter=parameter, Reason=reason)


def check_metric_name(name: str, readings: Readings) -> None:
    """Raise for a metric name that is reserved for AWS WAF, in any case or as it is written.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_VisibilityConfig.html
    """
    is_reserved = name in RESERVED_METRICS or (
        readings.waf_reserved_names == "case-insensitive"
        and name.lower() in {reserved.lower() for reserved in RESERVED_METRICS}
    )
    if is_reserved:
        raise invalid("METRIC_NAME", name, "The metric name is reserved for AWS WAF")


def check_rules(rules: list[Document]) -> int:
    """The capacity (WCU) of ``rules``; raises for rules that AWS rejects or this cloud does not model."""
    for name in ("Name", "Priority"):
        values = [rule[name] for rule in rules]
        if len(set(values)) < len(values):
            raise invalid("RULE", str(values), f"The {name.lower()} of each rule must be unique in the web ACL")
    capacity = sum(check_rule(rule) for rule in rules)
    if capacity > LARGEST_CAPACITY:
        raise AwsError(
            "WAFLimitsExceededException",
            f"The web ACL needs {capacity} WCUs; at most {LARGEST_CAPACITY} are allowed",
        )
    return capacity


def check_rule(rule: Document) -> int:
    statement = rule["Statement"]
    if len(statement) != 1:
        raise invalid("STATEMENT", rule["Name"], "A rule must have exactly one statement")
    kind, content = next(iter(statement.items()))
    is_group = kind == "ManagedRuleGroupStatement"
    if ("OverrideAction" in rule) is not is_group or ("Action" in rule) is is_group:
        member = "OverrideAction" if is_group else "Action"
        raise invalid("RULE_ACTION", rule["Name"], f"A rule with a {kind} must have an {member}, and only that")
    if kind == "RateBasedStatement":
        check_action(rule["Action"])
        if "Allow" in rule["Action"]:
            raise invalid("RULE_ACTION", rule["Name"], "A rate-based rule cannot allow")
        check_rate(content)
        return RATE_CAPACITY
    if is_group:
        return check_group(content)
    raise NotModelled(f"wafv2: {kind}", "Use RateBasedStatement or ManagedRuleGroupStatement.")


def check_action(action: Document) -> None:
    name = next(iter(action), "")
    if name not in ACTIONS:
        raise NotModelled(f"wafv2: the action {name}", "Use Allow, Block or Count.")
    for part in (action[name] or {}).values():
        if part:
            raise NotModelled(f"wafv2: custom request and response handling of {name}")


def check_rate(rate: Document) -> None:
    if not LEAST_LIMIT <= rate["Limit"] <= LARGEST_LIMIT:
        raise invalid("RATE_LIMIT", str(rate["Limit"]), f"A limit must be {LEAST_LIMIT} to {LARGEST_LIMIT}")
    if rate.get("EvaluationWindowSec", DEFAULT_WINDOW_S) not in WINDOWS_S:
        raise invalid(
            "EVALUATION_WINDOW", str(rate["EvaluationWindowSec"]), f"A window must be one of {WINDOWS_S} seconds"
        )
    if rate["AggregateKeyType"] != "IP":
        raise NotModelled(f"wafv2: rates by {rate['AggregateKeyType']}", "Use IP.")
    if rate.get("ScopeDownStatement"):
        raise NotModelled("wafv2: ScopeDownStatement")


def check_group(group: Document) -> int:
    name = group["Name"]
    if group["VendorName"] != "AWS" or name in REFUSED:
        raise NotModelled(f"wafv2: the managed rule group {group['VendorName']}/{name}")
    if name not in GROUPS:
        raise AwsError(
            "WAFNonexistentItemException", f"AWS WAF couldn't perform the operation: no rule group {name} exists"
        )
    for part, meaning in (
        ("Version", "versions of managed rule groups"),
        ("ScopeDownStatement", "ScopeDownStatement"),
    ):
        if group.get(part):
            raise NotModelled(f"wafv2: {meaning}")
    known = GROUPS[name].rules
    for override in [*(group.get("RuleActionOverrides") or []), *(group.get("ExcludedRules") or [])]:
        if override["Name"] not in known:
            raise invalid("RULE_NAME", override["Name"], f"The rule group {name} has no such rule")
        if "ActionToUse" in override:
            check_action(override["ActionToUse"])
    return GROUPS[name].capacity
