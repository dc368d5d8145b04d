"""The interface of resource types: their requests, operations and results."""

import secrets
import string
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from serinus.offline.core.ports import CloudContext

if TYPE_CHECKING:
    from serinus.offline.services.cloudformation.engine import Engine

SUFFIX_ALPHABET = string.ascii_uppercase + string.digits
SUFFIX_LENGTH = 12


@dataclass(frozen=True, slots=True)
class ResourceState:
    """A resource's present state: the values of Ref and Fn::GetAtt."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """A request to a resource type. ``properties`` are resolved, without intrinsics.

    ``previous`` and ``physical_id`` are None on create; ``tags`` are the stack's, overridden by the resource's.
    ``cancelled`` is set when the stack operation has failed elsewhere, so that waiting is pointless.
    """

    engine: "Engine"
    region: str
    stack_id: str
    stack_name: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    tags: dict[str, str]
    physical_id: str | None = None
    previous: dict[str, Any] | None = None
    previous_tags: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    update_policy: dict[str, Any] = field(default_factory=dict)
    rolling_back: bool = False
    #: When the stack's update began; unchanged after a restart of the cloud.
    operation_started: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    #: Call it with the physical id as soon as the resource exists, so that a later failure can delete it.
    register_id: Callable[[str], None] = lambda _: None
    #: Call it with the progress of long work, which becomes an event's reason.
    report: Callable[[str], None] = lambda _: None

    @property
    def context(self) -> CloudContext:
        return self.engine.context

    @property
    def account_id(self) -> str:
        return self.context.config.account_id

    @property
    def identity(self) -> str:
        """The physical id of an existing resource."""
        assert self.physical_id is not None
        return self.physical_id

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud in the stack's region: a stack's calls pass the same checks as others."""
        return self.context.client(service, self.region)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def name(self, max_length: int = 64, *, lowercase: bool = False) -> str:
        """A physical name as CloudFormation generates it: stack, logical id, twelve random characters."""
        suffix = "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(SUFFIX_LENGTH))
        room = max_length - SUFFIX_LENGTH - 2
        stack, logical = self.stack_name, self.logical_id
        if len(stack) + len(logical) > room:
            stack = stack[: max(room // 2, room - len(logical))]
            logical = logical[: room - len(stack)]
        name = f"{stack}-{logical}-{suffix}"
        return name.lower() if lowercase else name

    def changed(self, *names: str) -> bool:
        """Whether any of these properties differs from the previous ones."""
        previous = self.previous or {}
        return any(self.properties.get(name) != previous.get(name) for name in names)


class ResourceType(ABC):
    """A modelled type: its create, update and delete, and exactly its modelled properties and attributes."""

    type: ClassVar[str]
    #: Modelled properties; any other of the schema is rejected by name.
    modelled: ClassVar[frozenset[str]]
    #: The attributes of Fn::GetAtt.
    attributes: ClassVar[frozenset[str]] = frozenset()
    #: Properties that require a new physical resource although the registry's schema does not list them as such.
    replacing: ClassVar[frozenset[str]] = frozenset()
    #: Whether the stack's tags apply to the resource, so that changing them updates it.
    taggable: ClassVar[bool] = False
    #: Whether its work waits for other processes, so that a state folder is written during it.
    lasting: ClassVar[bool] = False

    def check(self, properties: dict[str, Any]) -> Iterable[str]:  # noqa: ARG002
        """Names of unmodelled parts of ``properties`` (unresolved), beyond whole properties."""
        return ()

    @abstractmethod
    def create(self, request: ResourceRequest) -> ResourceState: ...

    @abstractmethod
    def update(self, request: ResourceRequest) -> ResourceState:
        """Update the resource in place; it keeps its physical id."""

    @abstractmethod
    def delete(self, request: ResourceRequest) -> None:
        """Delete the resource; a resource that no longer exists is not an error."""


def words(text: str) -> frozenset[str]:
    """A set of names from a space-separated line."""
    return frozenset(text.split())
