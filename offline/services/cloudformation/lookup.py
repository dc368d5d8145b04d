"""Looks up the values of a stack's resources and of other stacks' exports for an evaluator."""

from typing import Any

from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.intrinsics import Evaluator
from serinus.offline.services.cloudformation.state import Revision, Stack, State

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in [
        "AccountId",
        "NotificationARNs",
        "NoValue",
        "Partition",
        "Region",
        "StackId",
        "StackName",
        "URLSuffix",
    ]
)
#: AWS's placeholder in a change set for a value that is known only after a resource is created.
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


class StandingResources:
    """Resolves references from existing resources; used during a stack operation."""

    def __init__(self, state: State, stack: Stack) -> None:
        self.state = state
        self.stack = stack

    def ref(self, logical_id: str) -> Any:
        resource = self.stack.resources.get(logical_id)
        if resource is None or resource.physical_id is None:
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{logical_id}] in the Resources "
                "block of the template"
            )
        return resource.physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        self.ref(logical_id)
        resource = self.stack.resources[logical_id]
        if name not in resource.attributes:
            raise invalid(f"Vendor response doesn't contain {name} attribute for resource {logical_id}")
        return resource.attributes[name]

    def imported(self, export: str) -> Any:
        exported = self.state.exports(self.stack.region).get(export)
        if exported is None:
            raise invalid(f"No export named {export} found.")
        self.stack.imports.add(export)
        return exported[1].value


class ForeseenResources(StandingResources):
    """Resolves references as far as they are known before the operation; used for change sets."""

    def __init__(self, state: State, stack: Stack) -> None:
        super().__init__(state, stack)
        self.replaced: set[str] = set()

    def ref(self, logical_id: str) -> Any:
        resource = self.stack.resources.get(logical_id)
        if resource is None or resource.physical_id is None or logical_id in self.replaced:
            return KNOWN_AFTER_APPLY
        return resource.physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        if self.ref(logical_id) == KNOWN_AFTER_APPLY:
            return KNOWN_AFTER_APPLY
        return self.stack.resources[logical_id].attributes.get(name, KNOWN_AFTER_APPLY)

    def imported(self, export: str) -> Any:
        exported = self.state.exports(self.stack.region).get(export)
        if exported is None:
            raise invalid(f"No export named {export} found.")
        return exported[1].value


def evaluator_for(revision: Revision, stack: Stack, account_id: str, lookup: StandingResources) -> Evaluator:
    """An evaluator of ``revision`` for ``stack``."""
    return Evaluator(
        template=revision.template,
        parameters={key: value.resolved for key, value in revision.parameters.items()},
        pseudo={
            "AWS::AccountId": account_id,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        },
        lookup=lookup,
    )
