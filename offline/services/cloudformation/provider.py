"""The interface of resource types: the request that one gets, its operations, and how types are looked up."""

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
    """A resource as it now stands: what Ref returns, and what Fn::GetAtt can return."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """One piece of work for a resource type. ``properties`` hold no intrinsics any more.

    ``previous`` and ``physical_id`` are None on create; ``tags`` are the stack's, overridden by the resource's.
    ``cancelled`` is set when the stack operation has failed elsewhere and waiting has lost its point.
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
    #: When the stack's update began; the same after the cloud was killed and came back.
    operation_started: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    #: To be called with the physical id as soon as something exists, so that a later failure can undo it.
    register_id: Callable[[str], None] = lambda _: None
    #: To be called with news of long work, which becomes an event's reason.
    report: Callable[[str], None] = lambda _: None

    @property
    def context(self) -> CloudContext:
        return self.engine.context

    @property
    def account_id(self) -> str:
        return self.context.config.account_id

    @property
    def identity(self) -> str:
        """The physical id of a resource that exists."""
        assert self.physical_id is not None
        return self.physical_id

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud in the stack's region: a stack's calls pass the same checks as anyone's."""
        return self.context.client(service, self.region)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def name(self, max_length: int = 64, *, lowercase: bool = False) -> str:
        """A physical name as CloudFormation makes one: stack, logical id, twelve random characters."""
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
    """A type that this cloud models: its create, update and delete, and exactly what of it is modelled."""

    type: ClassVar[str]
    #: Properties that are honoured; any other of the schema is refused by name.
    modelled: ClassVar[frozenset[str]]
    #: What Fn::GetAtt may return.
    attributes: ClassVar[frozenset[str]] = frozenset()
    #: Properties that need a new physical resource although the registry's schema does not say so.
    replacing: ClassVar[frozenset[str]] = frozenset()
    #: Whether the stack's tags reach the resource, so that changing them updates it.
    taggable: ClassVar[bool] = False
    #: Whether its work waits for others, so that a state folder is written while it is under way.
    lasting: ClassVar[bool] = False

    def check(self, properties: dict[str, Any]) -> Iterable[str]:  # noqa: ARG002
        """Names of parts of ``properties`` (unresolved) that are not modelled, beyond whole properties."""
        return ()

    @abstractmethod
    def create(self, request: ResourceRequest) -> ResourceState: ...

    @abstractmethod
    def update(self, request: ResourceRequest) -> ResourceState:
        """Change the resource in place; it keeps its physical id."""

    @abstractmethod
    def delete(self, request: ResourceRequest) -> None:
        """Delete the resource; one that is gone already is no error."""


def words(text: str) -> frozenset[str]:
    """A set of names from one readable line."""
    return frozenset(text.split())
