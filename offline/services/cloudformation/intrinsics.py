"""Evaluates a template's intrinsic functions, conditions and pseudo parameters."""

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.template import StackTemplate, attribute_of, function_of

PLACEHOLDER = re.compile(r"\$\{([^!{}$][^{}$]*)\}")
LITERAL = re.compile(r"\$\{!([^{}]*)\}")


class _NoValue:
    """The value of AWS::NoValue, which removes its property."""

    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()


class Lookup(Protocol):
    """The source of values for references to resources and exports."""

    def ref(self, logical_id: str) -> Any: ...

    def attribute(self, logical_id: str, name: str) -> Any: ...

    def imported(self, export: str) -> Any: ...


@dataclass(slots=True)
class Evaluator:
    """Evaluates the values of one template with its parameters; raises ValidationError as AWS does."""

    template: StackTemplate
    parameters: Mapping[str, str | list[str]]
    pseudo: Mapping[str, Any]
    lookup: Lookup
    _conditions: dict[str, bool] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """``value`` with every intrinsic evaluated and every AWS::NoValue removed."""
        if isinstance(value, dict):
            name = function_of(value)
            if name is not None:
                return self._call(name, value[name])
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        return value

    def condition(self, name: str) -> bool:
        """Whether the template's condition ``name`` holds."""
        if name not in self._conditions:
            conditions = self.template.section("Conditions")
            if name not in conditions:
                raise invalid(f"Template format error: Unresolved condition dependency {name}")
            self._conditions[name] = self.holds(conditions[name])
        return self._conditions[name]

    def holds(self, expression: Any) -> bool:
        """The value of a condition expression."""
        if isinstance(expression, dict) and set(expression) == {"Condition"}:
            return self.condition(expression["Condition"])
        value = self.resolve(expression)
        return value if isinstance(value, bool) else str(value).lower() == "true"

    def _call(self, name: str, argument: Any) -> Any:
        function = FUNCTIONS.get(name)
        if function is None:
            raise NotModelled(f"the intrinsic function {name}")
        return function(self, argument)


def _ref(evaluator: Evaluator, name: Any) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in evaluator.pseudo:
        return evaluator.pseudo[name]
    if name in evaluator.parameters:
        return evaluator.parameters[name]
    return evaluator.lookup.ref(name)


def _get_att(evaluator: Evaluator, argument: Any) -> Any:
    logical_id, attribute = attribute_of(argument)
    return evaluator.lookup.attribute(logical_id, str(evaluator.resolve(attribute)))


def _sub(evaluator: Evaluator, argument: Any) -> str:
    text, variables = (argument, {}) if isinstance(argument, str) else _pair("Fn::Sub", argument)
    values = {name: evaluator.resolve(value) for name, value in variables.items()}

    def value_of(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name in values:
            return as_text(values[name])
        if "." in name and name not in evaluator.parameters:
            return as_text(_get_att(evaluator, name))
        return as_text(_ref(evaluator, name))

    return LITERAL.sub(r"${\1}", PLACEHOLDER.sub(value_of, text))


def _join(evaluator: Evaluator, argument: Any) -> str:
    delimiter, items = _pair("Fn::Join", argument)
    values = evaluator.resolve(items)
    if not isinstance(values, list):
        raise invalid(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list "
            "of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be "
            "joined."
        )
    return str(delimiter).join(as_text(value) for value in values)


def _select(evaluator: Evaluator, argument: Any) -> Any:
    index, items = _pair("Fn::Select", argument)
    values, position = evaluator.resolve(items), int(evaluator.resolve(index))
    if isinstance(values, str):
        values = values.split(",")
    if not 0 <= position < len(values):
        raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {position}")
    return values[position]


def _split(evaluator: Evaluator, argument: Any) -> list[str]:
    delimiter, text = _pair("Fn::Split", argument)
    return as_text(evaluator.resolve(text)).split(delimiter)


def _find_in_map(evaluator: Evaluator, argument: Any) -> Any:
    keys = [str(evaluator.resolve(key)) for key in argument[:3]]
    value_at: Any = evaluator.template.section("Mappings")
    for key in keys:
        if not isinstance(value_at, dict) or key not in value_at:
            raise invalid(f"Template error: Unable to get mapping for {'::'.join(keys)}")
        value_at = value_at[key]
    return value_at


def _if(evaluator: Evaluator, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != 3:
        raise invalid("Template error: Fn::If requires a list argument with three parameters")
    name, if_true, if_false = argument
    return evaluator.resolve(if_true if evaluator.condition(name) else if_false)


def _equals(evaluator: Evaluator, argument: Any) -> bool:
    left, right = _pair("Fn::Equals", argument)
    return bool(plain(evaluator.resolve(left)) == plain(evaluator.resolve(right)))


def _import_value(evaluator: Evaluator, argument: Any) -> Any:
    return evaluator.lookup.imported(as_text(evaluator.resolve(argument)))


def _get_azs(evaluator: Evaluator, argument: Any) -> list[str]:
    region = evaluator.resolve(argument) or evaluator.pseudo["AWS::Region"]
    return [f"{region}{zone}" for zone in "abc"]


def _base64(evaluator: Evaluator, argument: Any) -> str:
    return base64.b64encode(as_text(evaluator.resolve(argument)).encode()).decode()


def _cidr(evaluator: Evaluator, argument: Any) -> list[str]:
    block, count, *bits = evaluator.resolve(argument)
    network = ipaddress.ip_network(block)
    prefix = network.max_prefixlen - int(bits[0] if bits else 8)
    subnets = network.subnets(new_prefix=prefix)
    return [str(subnet) for subnet, _ in zip(subnets, range(int(count)), strict=False)]


def _contains(evaluator: Evaluator, argument: Any) -> bool:
    items, item = _pair("Fn::Contains", argument)
    return plain(evaluator.resolve(item)) in [plain(value) for value in evaluator.resolve(items)]


def _each_member_equals(evaluator: Evaluator, argument: Any) -> bool:
    items, item = _pair("Fn::EachMemberEquals", argument)
    attribute_name = plain(evaluator.resolve(item))
    return all(plain(value) == attribute_name for value in evaluator.resolve(items))


def _each_member_in(evaluator: Evaluator, argument: Any) -> bool:
    items, allowed = _pair("Fn::EachMemberIn", argument)
    choices = [plain(value) for value in evaluator.resolve(allowed)]
    return all(plain(value) in choices for value in evaluator.resolve(items))


FUNCTIONS: dict[str, Callable[[Evaluator, Any], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::And": lambda evaluator, argument: all(evaluator.holds(item) for item in argument),
    "Fn::Or": lambda evaluator, argument: any(evaluator.holds(item) for item in argument),
    "Fn::Not": lambda evaluator, argument: not evaluator.holds(argument[0]),
    "Fn::ImportValue": _import_value,
    "Fn::GetAZs": _get_azs,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
}


def as_text(value: Any) -> str:
    """A value as CloudFormation inserts it into a string: ``true`` for a boolean, commas in a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return str(value)


def plain(value: Any) -> Any:
    """``value`` with scalars as text, because CloudFormation does not distinguish 30 and "30"."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return as_text(value)


def _pair(function: str, argument: Any) -> tuple[Any, Any]:
    if not isinstance(argument, list) or len(argument) != 2:
        raise invalid(f"Template error: every {function} object requires two parameters")
    return argument[0], argument[1]
