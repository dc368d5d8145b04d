"""Picks the version of an invocation by its qualifier and the alias's weights.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

import random
from dataclasses import dataclass

from serinus.offline.services.lambda_.state import LATEST, Alias, Function


@dataclass(frozen=True, slots=True)
class InvocationRoute:
    """One invocation's route: the version that runs and the names under which its metrics appear.

    ``resource`` is the metrics' Resource dimension (``name``, ``name:alias`` or ``name:version``). Whether
    ExecutedVersion is a dimension too depends on ``by_alias`` and ``weighted``.
    """

    version: str
    resource: str
    arn: str
    by_alias: bool = False
    weighted: bool = False


def pick_route(function: Function, qualifier: str | None, dice: random.Random) -> InvocationRoute:
    """Choose the version for one invocation of ``qualifier``."""
    if qualifier is None:
        return InvocationRoute(LATEST, function.name, function.arn)
    arn, resource = f"{function.arn}:{qualifier}", f"{function.name}:{qualifier}"
    alias = function.aliases.get(qualifier)
    if alias is None:
        return InvocationRoute(qualifier, resource, arn)
    return InvocationRoute(
        pick_version(alias, dice), resource, arn, by_alias=True, weighted=bool(alias.additional)
    )


def pick_version(alias: Alias, dice: random.Random) -> str:
    """A random choice by weight, independent for each invocation."""
    if not alias.additional:
        return alias.version
    thrown = dice.random()
    for version, weight in alias.additional.items():
        if thrown < weight:
            return version
        thrown -= weight
    return alias.version
