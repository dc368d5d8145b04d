"""Metric math: evaluates an expression over a request's metrics to one or several time series.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from collections.abc import Callable
from dataclasses import dataclass

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.cloudwatch import math_functions
from serinus.offline.services.cloudwatch.math_functions import FUNCTIONS, NOT_MODELLED
from serinus.offline.services.cloudwatch.math_syntax import (
    Array,
    Binary,
    MathError,
    MathFunction,
    MathNode,
    MathText,
    Name,
    Negative,
    Number,
    functions,
    parse,
)
from serinus.offline.services.cloudwatch.time_series import Grid, TimeSeries, Value, combine


@dataclass(frozen=True, slots=True)
class MathScope:
    """An expression's scope: values by id, the request's metrics, and its periods."""

    value_of: Callable[[str], Value]
    metrics: dict[str, TimeSeries]
    grid: Grid


def check(expression: str) -> MathNode:
    """The tree of an expression; raises `MathError`, or `NotModelled` for an unmodelled function."""
    if expression.lstrip().upper().startswith("SELECT "):
        raise NotModelled("CloudWatch Metrics Insights queries (SELECT ...)")
    tree = parse(expression)
    for name in sorted(functions(tree)):
        if name in NOT_MODELLED:
            raise NotModelled(f"the metric math function {name}")
        if name not in FUNCTIONS and name not in ("METRICS", "FILL", "SORT"):
            raise MathError(f"unknown function {name!r}")
    return tree


def compute(expression: str, scope: MathScope) -> list[TimeSeries]:
    """The time series that ``expression`` yields; a number is an error, as on AWS."""
    value = _evaluate(check(expression), scope)
    if isinstance(value, float):
        raise MathError(f"{expression!r} is a number; the result must be a time series")
    return value if isinstance(value, list) else [value]


def _evaluate(node: MathNode, scope: MathScope) -> Value:
    match node:
        case Number(value):
            return value
        case Name(name):
            return scope.value_of(name)
        case Negative(operand):
            return combine("*", -1.0, _evaluate(operand, scope))
        case Binary(operator, left, right):
            return combine(operator, _evaluate(left, scope), _evaluate(right, scope))
        case Array(items):
            return [series for item in items for series in math_functions.array(_evaluate(item, scope))]
        case MathFunction(name, arguments):
            return _call(name, arguments, scope)
        case MathText(text):
            raise MathError(f"the text {text!r} is not a value")


def _call(name: str, arguments: tuple[MathNode, ...], scope: MathScope) -> Value:
    if name == "METRICS":
        return _metrics(arguments, scope)
    if name == "FILL":
        return _fill(arguments, scope)
    if name == "SORT":
        return _sort(arguments, scope)
    values = [_evaluate(argument, scope) for argument in arguments]
    try:
        return FUNCTIONS[name](values, scope.grid)
    except (ValueError, IndexError) as error:
        if isinstance(error, MathError):
            raise
        raise MathError(f"{name} does not accept these {len(values)} arguments") from error


def _metrics(arguments: tuple[MathNode, ...], scope: MathScope) -> Value:
    match arguments:
        case ():
            return list(scope.metrics.values())
        case (MathText(part),):
            return [metric for name, metric in scope.metrics.items() if part in name]
    raise MathError("METRICS accepts no argument, or a text that the ids must contain")


def _fill(arguments: tuple[MathNode, ...], scope: MathScope) -> Value:
    if len(arguments) != 2:
        raise MathError(f"FILL requires 2 arguments, not {len(arguments)}")
    target, filler = arguments
    if isinstance(filler, Name) and filler.value in ("REPEAT", "LINEAR"):
        return math_functions.fill(_evaluate(target, scope), filler.value, scope.grid)
    return math_functions.fill(_evaluate(target, scope), _evaluate(filler, scope), scope.grid)


def _sort(arguments: tuple[MathNode, ...], scope: MathScope) -> Value:
    match arguments:
        case (target, Name(by), Name(order)):
            return math_functions.sort(_evaluate(target, scope), by, order, None)
        case (target, Name(by), Name(order), Number(limit)):
            return math_functions.sort(_evaluate(target, scope), by, order, limit)
    raise MathError("SORT requires an array, a function, an order and optionally a number")
