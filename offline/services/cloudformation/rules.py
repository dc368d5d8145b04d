"""The Rules section: assertions about parameters, checked before anything is provisioned."""

from collections.abc import Iterator

from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.intrinsics import Evaluator


def check_rules(evaluator: Evaluator) -> None:
    """Raise ValidationError with the AssertDescription of each assertion that does not hold."""
    failed = list(_failures(evaluator))
    if failed:
        raise invalid(f"Template validation error: {'; '.join(failed)}")


def _failures(evaluator: Evaluator) -> Iterator[str]:
    for name, rule in evaluator.template.section("Rules").items():
        if "RuleCondition" in rule and not evaluator.holds(rule["RuleCondition"]):
            continue
        for assertion in rule.get("Assertions", ()):
            if not evaluator.holds(assertion["Assert"]):
                yield f"Rule {name}: {assertion.get('AssertDescription', 'an assertion does not hold')}"
