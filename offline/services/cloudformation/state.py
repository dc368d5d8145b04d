"""CloudFormation's state: plain records in one place, so that a cloud can be saved and restored.

A `Stack` holds its existing ``resources``, its last good state (``stable``, only while an operation that may be
rolled back is in progress or has failed) and resources to be deleted (``leftovers``). A rollback depends on these
three alone, so it also works for an operation that ended with its process.
"""

import copy
import uuid
from dataclasses import dataclass, field
from typing import Any

from serinus.offline.services.cloudformation.template import StackTemplate


@dataclass(slots=True)
class StackResource:
    """One resource of a stack as last applied; times are cloud time in epoch seconds."""

    logical_id: str
    type: str
    physical_id: str | None = None
    status: str = ""
    reason: str = ""
    updated: float = 0.0
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    #: The resource's definition in the template, unresolved.
    definition: dict[str, Any] = field(default_factory=dict)
    #: Logical ids of dependencies, which are created before this resource and deleted after it.
    needs: frozenset[str] = frozenset()

    def copy(self) -> "StackResource":
        return copy.deepcopy(self)


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter's value, and its resolved value if it names an SSM parameter."""

    key: str
    raw: str
    resolved: str | list[str]
    no_echo: bool = False
    from_ssm: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """The input of a stack operation."""

    template: StackTemplate
    parameters: dict[str, ParameterValue]
    tags: dict[str, str]
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of a stack's history."""

    event_id: str
    operation_id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    time: float
    reason: str = ""
    properties: str = ""
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An evaluated output of a stack."""

    key: str
    value: str
    description: str | None
    export: str | None


@dataclass(frozen=True, slots=True)
class StableState:
    """The last good state, to which a failed update is rolled back."""

    revision: Revision
    resources: dict[str, StackResource]
    outputs: list[Output]
    imports: frozenset[str]


@dataclass(frozen=True, slots=True)
class ValidationFailure:
    """An error of the checks that run before provisioning."""

    logical_id: str
    type: str
    path: str
    message: str


@dataclass(slots=True)
class ChangeSet:
    """A proposed revision of a stack and its changes."""

    id: str
    name: str
    type: str
    revision: Revision
    description: str | None
    created: float
    status: str = "CREATE_PENDING"
    reason: str = ""
    execution_status: str = "UNAVAILABLE"
    on_failure: str | None = None
    include_nested: bool = False
    import_existing: bool = False
    deployment_config: dict[str, Any] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    failures: list[ValidationFailure] = field(default_factory=list)
    operation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class OperationInput:
    """The last operation's input: enough to resume it after its process ended."""

    revision: Revision | None = None
    on_failure: str = "ROLLBACK"
    disable_rollback: bool = False
    retain: frozenset[str] = frozenset()
    force: bool = False


@dataclass(slots=True)
class Stack:
    """A stack with its whole history."""

    id: str
    name: str
    region: str
    created: float
    status: str = ""
    reason: str = ""
    updated: float | None = None
    deleted: float | None = None
    revision: Revision | None = None
    resources: dict[str, StackResource] = field(default_factory=dict)
    stable: StableState | None = None
    #: Replaced or newly created resources to be deleted once the running operation has succeeded.
    leftovers: list[StackResource] = field(default_factory=list)
    events: list[StackEvent] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    #: Names of other stacks' exports that this stack's template imports.
    imports: set[str] = field(default_factory=set)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    change_set_id: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    termination_protection: bool = False
    disable_rollback: bool = False
    retain_except_on_create: bool = False
    timeout_minutes: int | None = None
    deployment_config: dict[str, Any] = field(default_factory=dict)
    order: OperationInput = field(default_factory=OperationInput)
    operation_id: str = ""
    operation_type: str = ""
    token: str | None = None

    @property
    def active(self) -> bool:
        return self.status != "DELETE_COMPLETE"


@dataclass(slots=True)
class State:
    """Every stack of every region, by stack id, in the order of creation."""

    stacks: dict[str, Stack] = field(default_factory=dict)

    def find(self, region: str, name_or_id: str) -> Stack | None:
        """The stack with that id or present name; a deleted stack only by its id."""
        if name_or_id in self.stacks:
            return self.stacks[name_or_id]
        for stack in self.stacks.values():
            if stack.name == name_or_id and stack.region == region and stack.active:
                return stack
        return None

    def exports(self, region: str) -> dict[str, tuple[Stack, Output]]:
        """Every export of a region by its name, with the stack that exports it."""
        return {
            output.export: (stack, output)
            for stack in list(self.stacks.values())
            if stack.region == region and stack.active
            for output in stack.outputs
            if output.export is not None
        }

    def importers(self, region: str, export: str) -> list[str]:
        """Names of the stacks that import ``export``."""
        return [
            stack.name
            for stack in list(self.stacks.values())
            if stack.region == region and stack.active and export in stack.imports
        ]
