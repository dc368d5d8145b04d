"""Parses integration URIs into functions.

arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations, where the function's
ARN may hold stage variables as ${stageVariables.name}.
"""

import re
from dataclasses import dataclass

URI = re.compile(r"^arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(?P<arn>.+)/invocations$")
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
FUNCTION_ARN = re.compile(
    r"^arn:aws[\w-]*:lambda:(?P<region>[\w-]+):\d{12}:function:(?P<name>[\w-]+)(:(?P<qualifier>[\w$-]+))?$"
)


@dataclass(frozen=True, slots=True)
class FunctionTarget:
    """A function to invoke; ``qualifier`` is a version, an alias or None for $LATEST."""

    region: str
    name: str
    qualifier: str | None
    arn: str


def function_of(uri: str) -> str | None:
    """The function's ARN in ``uri``, with its stage variables unresolved; None if it names no function."""
    match = URI.match(uri)
    return match["arn"] if match else None


def target_of(uri: str, stage_variables: dict[str, str]) -> FunctionTarget | None:
    """The function of ``uri`` in a stage with these variables; None if it is not a function's ARN."""
    return arn_target(function_of(uri) or "", stage_variables)


def arn_target(template: str, stage_variables: dict[str, str]) -> FunctionTarget | None:
    """The function whose ARN ``template`` yields with these variables; None if it is not a function's ARN."""
    arn = STAGE_VARIABLE.sub(lambda variable: stage_variables.get(variable[1], ""), template)
    match = FUNCTION_ARN.match(arn)
    return FunctionTarget(match["region"], match["name"], match["qualifier"], arn) if match else None
