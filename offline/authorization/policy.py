"""Evaluates a policy document for an action, a resource and a call's condition keys.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from serinus.offline.authorization.conditions import Context, conditions_hold, like, listed, with_variables


class Effect(Enum):
    """The combined result of policies: an explicit deny overrides every allow."""

    ALLOW = "Allow"
    DENY = "Deny"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Access:
    """An action on a resource (an ARN, or "*" for an action without resource types).

    ``resource`` is None if this cloud cannot determine it: any resource of a statement then matches.
    """

    action: str
    resource: str | None
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; ``actions`` in lower case, since IAM ignores their case."""

    allows: bool
    actions: tuple[str, ...]
    but_actions: tuple[str, ...]
    resources: tuple[str, ...]
    but_resources: tuple[str, ...]
    conditions: dict[str, dict[str, Any]]

    def concerns(self, access: Access, context: Context) -> bool:
        return (
            self._names_action(access.action.lower())
            and self._names_resource(access.resource, context)
            and conditions_hold(self.conditions, context)
        )

    def _names_action(self, action: str) -> bool:
        if self.but_actions:
            return not any(like(text, action) for text in self.but_actions)
        return any(like(text, action) for text in self.actions)

    def _names_resource(self, resource: str | None, context: Context) -> bool:
        if resource is None:
            # A deny of one resource must not become a deny of all.
            return self.allows or "*" in self.resources
        if self.but_resources:
            return not any(like(with_variables(text, context), resource) for text in self.but_resources)
        return any(like(with_variables(text, context), resource) for text in self.resources)


@functools.lru_cache(maxsize=1024)
def statements_of(document: str) -> tuple[Statement, ...]:
    """The statements of a policy's JSON text."""
    statements = json.loads(document).get("Statement", [])
    return tuple(_statement(item) for item in (statements if isinstance(statements, list) else [statements]))


def _statement(document: dict[str, Any]) -> Statement:
    return Statement(
        allows=document["Effect"] == "Allow",
        actions=tuple(text.lower() for text in listed(document.get("Action", []))),
        but_actions=tuple(text.lower() for text in listed(document.get("NotAction", []))),
        resources=tuple(listed(document.get("Resource", []))),
        but_resources=tuple(listed(document.get("NotResource", []))),
        conditions=document.get("Condition") or {},
    )


def effect_of(documents: Iterable[str], access: Access, context: Context) -> Effect:
    """The policies' effect on an access; ``context`` holds the condition keys' values."""
    effect = Effect.NOTHING
    for document in documents:
        for statement in statements_of(document):
            if (effect is Effect.NOTHING or not statement.allows) and statement.concerns(access, context):
                if not statement.allows:
                    return Effect.DENY
                effect = Effect.ALLOW
    return effect
