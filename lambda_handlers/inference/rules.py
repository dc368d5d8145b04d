"""The rule for each feature's values, compiled once from the signature.

The fast decoder and the validation errors are both made from these rules, so that they accept the same values; a
property test checks that.
"""

from typing import Literal, NamedTuple

from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.signature import Feature, Signature

Kind = Literal["number", "integer", "boolean", "string"]

FLOAT32_MAX = 3.4028234663852886e38
FLOAT64_MAX = 1.7976931348623157e308
_KINDS: dict[str, Kind] = {
    "float32": "number",
    "float64": "number",
    "int32": "integer",
    "int64": "integer",
    "bool": "boolean",
    "string": "string",
}
_RANGES: dict[str, tuple[float, float]] = {
    "float32": (-FLOAT32_MAX, FLOAT32_MAX),
    "float64": (-FLOAT64_MAX, FLOAT64_MAX),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}


class Rule(NamedTuple):
    """The values that one feature accepts. ``low`` and ``high`` bound numbers and integers; ``allowed`` holds the
    only accepted values (None: any); ``optional``: null, or leaving the field out, is accepted."""

    name: str
    kind: Kind
    low: float
    high: float
    allowed: tuple[str | int | float, ...] | None
    optional: bool
    shape: tuple[int, ...]


def compile_rules(signature: Signature) -> tuple[Rule, ...]:
    """The features' rules in signature order; raises `ContractError` if no tensor can hold an accepted value."""
    return tuple(_rule(signature, feature) for feature in signature.features)


def _rule(signature: Signature, feature: Feature) -> Rule:
    dtypes = [tensor.dtype for tensor in signature.tensors if feature.name in tensor.features]
    if not dtypes:
        raise ContractError(f"feature {feature.name!r} is in no tensor of the graph. Package the model again.")
    optional = feature.missing == "accepted"
    for dtype in dtypes:
        if optional and dtype not in ("float32", "float64", "string"):
            raise ContractError(
                f"feature {feature.name!r} may be missing, but its tensor's {dtype} has no missing values. "
                "Package the model again with the feature as float."
            )
    ranges = [_RANGES[dtype] for dtype in (feature.dtype, *dtypes) if dtype in _RANGES]
    if ranges and feature.lowest is not None:
        ranges.append((feature.lowest, FLOAT64_MAX))
    if ranges and feature.highest is not None:
        ranges.append((-FLOAT64_MAX, feature.highest))
    return Rule(
        name=feature.name,
        kind=_KINDS[feature.dtype],
        low=max((low for low, _ in ranges), default=0),
        high=min((high for _, high in ranges), default=0),
        allowed=_allowed(feature),
        optional=optional,
        shape=feature.shape,
    )


def _allowed(feature: Feature) -> tuple[str | int | float, ...] | None:
    if feature.unseen == "accepted" or feature.categories is None:
        return None
    if _KINDS[feature.dtype] == "integer":
        return tuple(int(category) for category in feature.categories)
    return feature.categories
