"""Template parameters: defaults, constraints, previous values and SSM parameter types."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.state import ParameterValue
from serinus.offline.services.cloudformation.template import StackTemplate

SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>$")
FetchSsm = Callable[[str], str]


def resolve_parameters(
    template: StackTemplate,
    supplied: list[dict[str, Any]],
    previous: Mapping[str, ParameterValue],
    fetch_ssm: FetchSsm,
) -> dict[str, ParameterValue]:
    """The value of each parameter of ``template``; ``supplied`` is the API's list, ``previous`` the stack's.

    Raises ValidationError if a value is missing, unknown or violates the parameter's constraints.
    """
    declared = template.section("Parameters")
    values = _supplied_values(supplied, previous)
    unknown = [key for key in values if key not in declared]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [key for key, rule in declared.items() if key not in values and "Default" not in rule]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        key: _resolve(key, rule, _text(values.get(key, rule.get("Default"))), fetch_ssm)
        for key, rule in declared.items()
    }


def _supplied_values(supplied: list[dict[str, Any]], previous: Mapping[str, ParameterValue]) -> dict[str, str]:
    values: dict[str, str] = {}
    for item in supplied:
        key = item["ParameterKey"]
        if item.get("UsePreviousValue"):
            if item.get("ParameterValue"):
                raise invalid(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and "
                    "non empty value for a parameter"
                )
            if key not in previous:
                raise invalid(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for "
                    "a parameter key not in the previous template"
                )
            values[key] = previous[key].raw
        elif "ParameterValue" in item:
            values[key] = item["ParameterValue"]
        else:
            raise invalid(f"Invalid input for parameter key {key}. Either usePreviousValue or a value is needed")
    return values


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


def _resolve(key: str, rule: dict[str, Any], supplied: str, fetch_ssm: FetchSsm) -> ParameterValue:
    type_name = str(rule["Type"])
    _check(key, rule, supplied)
    ssm = SSM_VALUE.match(type_name)
    value = fetch_ssm(supplied) if ssm else supplied
    held_type = ssm[1] if ssm else type_name
    no_echo = _text(rule.get("NoEcho", "false")).lower() == "true"
    if held_type == "CommaDelimitedList" or held_type.startswith("List<"):
        items = [item.strip() for item in value.split(",")] if value else []
        return ParameterValue(key, supplied, items, no_echo, bool(ssm))
    return ParameterValue(key, supplied, value, no_echo, bool(ssm))


def _check(key: str, rule: dict[str, Any], value: str) -> None:
    problem = _problem(key, rule, value)
    if problem is None:
        return
    described = rule.get("ConstraintDescription")
    raise invalid(f"Parameter {key} failed to satisfy constraint: {described}" if described else problem)


def _problem(key: str, rule: dict[str, Any], value: str) -> str | None:
    items = [item.strip() for item in value.split(",")] if rule["Type"] == "CommaDelimitedList" else [value]
    allowed = [_text(choice) for choice in rule.get("AllowedValues", ())]
    if "AllowedValues" in rule and any(item not in allowed for item in items):
        return f"Parameter '{key}' must be one of AllowedValues"
    pattern = rule.get("AllowedPattern")
    if pattern and any(re.fullmatch(pattern, item) is None for item in items):
        return f"Parameter '{key}' must match pattern {pattern}"
    if len(value) < int(rule.get("MinLength", 0)):
        return f"Parameter '{key}' must contain at least {rule['MinLength']} characters"
    if "MaxLength" in rule and len(value) > int(rule["MaxLength"]):
        return f"Parameter '{key}' must contain at most {rule['MaxLength']} characters"
    if rule["Type"] == "Number":
        return _number_problem(key, rule, value)
    return None


def _number_problem(key: str, rule: dict[str, Any], value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return f"Parameter '{key}' must be a number"
    if "MinValue" in rule and number < float(rule["MinValue"]):
        return f"Parameter '{key}' must be a number not less than {rule['MinValue']}"
    if "MaxValue" in rule and number > float(rule["MaxValue"]):
        return f"Parameter '{key}' must be a number not greater than {rule['MaxValue']}"
    return None
