"""Cells of a table as the values of a request."""

from typing import Any

from serinus.lambda_handlers.contract.signature import Feature


def as_request_value(feature: Feature, value: Any) -> Any:
    """A number as the request's type has it: a table with missing values holds whole numbers as 3.0."""
    if value is None or isinstance(value, (str, list)):
        return value
    if feature.dtype == "bool":
        return bool(value)
    if feature.dtype in ("int32", "int64") and float(value).is_integer():
        return int(value)
    return value
