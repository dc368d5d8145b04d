"""Evaluates a web ACL for a request: rules by priority; the first that allows or blocks decides.

Source: https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-rule-actions.html
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from serinus.offline.http.request import GatewayRequest
from serinus.offline.services.wafv2.managed import GROUPS
from serinus.offline.services.wafv2.rules import DEFAULT_WINDOW_S, Document


@dataclass(slots=True)
class WebAclVerdict:
    """``rule`` decided (None: the default action); the rules in ``counted`` matched without deciding."""

    allowed: bool
    rule: Document | None = None
    counted: list[Document] = field(default_factory=list)


@dataclass(slots=True)
class Rates:
    """Times of requests, in cloud time, by rule of a web ACL and by address, within the rule's window."""

    _seen: dict[tuple[str, str, str], deque[float]] = field(default_factory=dict)

    def over(self, acl: str, rule: Document, address: str, now: float) -> bool:
        """Count a request; returns whether the window that ends with it exceeds the limit."""
        rate = rule["Statement"]["RateBasedStatement"]
        seen = self._seen.setdefault((acl, rule["Name"], address), deque())
        seen.append(now)
        self._expire(seen, rate, now)
        # Of a flood, only enough is kept to detect it.
        while len(seen) > rate["Limit"] + 1:
            seen.popleft()
        return bool(len(seen) > rate["Limit"])

    def limited(self, acl: str, rule: Document, now: float) -> list[str]:
        """The addresses now over a rule's limit."""
        rate = rule["Statement"]["RateBasedStatement"]
        labels = []
        for (of, name, address), seen in self._seen.items():
            if (of, name) == (acl, rule["Name"]):
                self._expire(seen, rate, now)
                if len(seen) > rate["Limit"]:
                    labels.append(address)
        return labels

    def _expire(self, seen: deque[float], rate: Document, now: float) -> None:
        begins = now - (rate.get("EvaluationWindowSec") or DEFAULT_WINDOW_S)
        while seen and seen[0] <= begins:
            seen.popleft()


def judge(acl: Document, rates: Rates, request: GatewayRequest, now: float) -> WebAclVerdict:
    """Evaluate ``acl`` for a request at cloud time ``now``."""
    verdict = WebAclVerdict("Allow" in acl["DefaultAction"])
    for rule in sorted(acl.get("Rules") or [], key=lambda entry: int(entry["Priority"])):
        action = action_of(acl["ARN"], rule, rates, request, now)
        if action == "Count":
            verdict.counted.append(rule)
        elif action is not None:
            verdict.allowed, verdict.rule = action == "Allow", rule
            break
    return verdict


def action_of(acl: str, rule: Document, rates: Rates, request: GatewayRequest, now: float) -> str | None:
    """The action of a rule that matches, or None."""
    group = rule["Statement"].get("ManagedRuleGroupStatement")
    if group is None:
        return name_of(rule["Action"]) if rates.over(acl, rule, request.source_ip, now) else None
    action = group_action(group, request)
    return "Count" if action is not None and "Count" in rule["OverrideAction"] else action


def group_action(group: Document, request: GatewayRequest) -> str | None:
    overrides = {entry["Name"]: name_of(entry["ActionToUse"]) for entry in group.get("RuleActionOverrides") or []}
    overrides |= {entry["Name"]: "Count" for entry in group.get("ExcludedRules") or []}
    counted = False
    for name, matches in GROUPS[group["Name"]].rules.items():
        if matches is None or not matches(request):
            continue
        action = overrides.get(name, "Block")
        if action != "Count":
            return action
        counted = True
    return "Count" if counted else None


def name_of(action: dict[str, Any]) -> str:
    return next(iter(action))
