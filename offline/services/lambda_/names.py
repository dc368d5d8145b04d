"""Parses function names: plain, partial ARN or full ARN, with or without a qualifier.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName)
"""

import re
from dataclasses import dataclass

from serinus.offline.core.errors import AwsError

FUNCTION = re.compile(
    r"^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?"
    r"(?:function:)?(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?$"
)
LAYER_VERSION = re.compile(
    r"^arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:(?P<name>[a-zA-Z0-9-_]+)"
    r":(?P<version>\d+)$"
)


@dataclass(frozen=True, slots=True)
class QualifiedFunction:
    """A function and, if named, its version or alias. ``region`` is None unless named."""

    name: str
    qualifier: str | None
    region: str | None = None


def target_of(function: str, qualifier: str | None = None) -> QualifiedFunction:
    """Parse ``function`` and ``qualifier`` together; they must not contradict each other."""
    match = FUNCTION.match(function)
    if match is None:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{function}' at 'functionName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {FUNCTION.pattern}",
            status=400,
        )
    named = match["qualifier"]
    if named and qualifier and named != qualifier:
        raise AwsError(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    return QualifiedFunction(match["name"], named or qualifier or None, match["region"])


def function_arn(region: str, account_id: str, name: str, qualifier: str | None = None) -> str:
    arn = f"arn:aws:lambda:{region}:{account_id}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def layer_arn(region: str, account_id: str, name: str) -> str:
    return f"arn:aws:lambda:{region}:{account_id}:layer:{name}"
