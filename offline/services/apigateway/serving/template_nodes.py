"""A parsed mapping template's parts: nodes that render, expressions that evaluate."""

from dataclasses import dataclass
from typing import Any

from serinus.offline.services.apigateway.serving.template_values import Scope, assign, call_method, look_up


@dataclass(frozen=True, slots=True)
class LiteralValue:
    value: Any

    def evaluate(self, _scope: Scope) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class Step:
    """One ".name" or ".name(arguments)" of a reference."""

    name: str
    arguments: "tuple[Expression, ...] | None" = None


@dataclass(frozen=True, slots=True)
class Reference:
    name: str
    steps: tuple[Step, ...]
    source: str

    def evaluate(self, scope: Scope) -> Any:
        value = scope.get(self.name)
        for step in self.steps:
            if step.arguments is None:
                value = look_up(value, step.name)
            else:
                arguments = [argument.evaluate(scope) for argument in step.arguments]
                value = call_method(value, step.name, arguments)
        return value

    def render(self, scope: Scope) -> str:
        value = self.evaluate(scope)
        if value is None:
            return "" if self.source.startswith("$!") else self.source
        return ("true" if value else "false") if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Negation:
    operand: "Expression"

    def evaluate(self, scope: Scope) -> Any:
        return not self.operand.evaluate(scope)


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: "Expression"
    right: "Expression"

    def evaluate(self, scope: Scope) -> Any:
        left = self.left.evaluate(scope)
        if self.operator == "||":
            return bool(left) or bool(self.right.evaluate(scope))
        if self.operator == "&&":
            return bool(left) and bool(self.right.evaluate(scope))
        right = self.right.evaluate(scope)
        match self.operator:
            case "==":
                return left == right
            case "!=":
                return left != right
            case "<":
                return left < right
            case ">":
                return left > right
            case "<=":
                return left <= right
        return left >= right


Expression = LiteralValue | Reference | Negation | Comparison


@dataclass(frozen=True, slots=True)
class TemplateText:
    text: str

    def render(self, _scope: Scope) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Assignment:
    target: Reference
    value: Expression

    def render(self, scope: Scope) -> str:
        assign(scope, [self.target.name, *(step.name for step in self.target.steps)], self.value.evaluate(scope))
        return ""


@dataclass(frozen=True, slots=True)
class Choice:
    branches: "tuple[tuple[Expression, tuple[TemplateNode, ...]], ...]"

    def render(self, scope: Scope) -> str:
        for condition, nodes in self.branches:
            if condition.evaluate(scope):
                return "".join(node.render(scope) for node in nodes)
        return ""


TemplateNode = TemplateText | Reference | Assignment | Choice
