"""The base class with which a service of ours replaces moto's.

A `Service` names a botocore service and has one method per operation, in snake case, that accepts a `Call`
and returns the operation's output as a dict (or raises `AwsError`). Requests are parsed and responses written
by AWS's own service models, through moto's protocol code, so every response has the shape that boto3 expects.
An operation without a method is passed to moto if the service lists it, and otherwise rejected by name.
"""

import asyncio
import inspect
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from botocore import xform_name
from moto.core.request import Request
from moto.core.utils import get_service_model

from serinus.offline.core import protocol
from serinus.offline.core.errors import AwsError, NotModelled, OfflineError
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.protocol import AwsResponse

if TYPE_CHECKING:
    from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Call:
    """One API call: its caller, region and parameters (as boto3 would name them)."""

    operation: str
    params: dict[str, Any]
    region: str
    account_id: str
    access_key: str
    request: Request
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Service:
    """A service implemented here. Subclasses set ``name`` and add operation methods, sync or async.

    Sync methods run in a worker thread, async ones on the cloud's event loop.
    """

    name: ClassVar[str]
    #: Operations that moto does well enough; others without a method here are rejected.
    moto_operations: ClassVar[frozenset[str]] = frozenset()
    #: AWS's error for a call without a required parameter; empty if the operations raise their own.
    missing_parameter: ClassVar[str] = ""

    def __init__(self, context: CloudContext) -> None:
        self.context = context
        self.model = get_service_model(self.name)

    def connect(self, ports: Ports) -> None:
        """Called once all services exist, before `restore` and `start`: keep the ports that this service uses."""

    async def start(self) -> None:
        """Called once, on the event loop, before the first request."""

    async def stop(self) -> None:
        """Called once, on the event loop, after the last request."""

    def snapshot(self) -> Any:
        """The service's whole state, for a state folder: live, picklable objects; None if it has none."""
        return None

    def restore(self, saved: Any) -> None:
        """Restore what `snapshot` returned; called before `start`, which resumes running work."""
        raise OfflineError(f"{self.name} keeps no state, but the state folder holds {type(saved).__name__}")

    def routes(self) -> "list[Route]":
        """The service's part of the cloud's own API, below ``/_offline``: for the cloud's owner alone."""
        return []

    def open_routes(self) -> "list[Route]":
        """Unguessable addresses below ``/_offline`` that the service issues."""
        return []

    def operation_of(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The operation's name and URL parameters; raises `NotModelled` if the model does not have it."""
        return protocol.operation_of(self.model, request)

    def method_for(self, operation: str) -> Callable[[Call], Any] | None:
        method: Callable[[Call], Any] | None = getattr(self, xform_name(operation), None)
        return method

    async def answer(self, request: Request, region: str, access_key: str) -> AwsResponse | None:
        """The response to one request; None if the operation is moto's."""
        operation, url_params = self.operation_of(request)
        method = self.method_for(operation)
        if method is None and operation in self.moto_operations:
            return None
        try:
            if method is None:
                raise NotModelled(f"{self.name}:{operation}")
            params = self._parse(request, operation, url_params)
            call = Call(operation, params, region, self.context.config.account_id, access_key, request)
            if inspect.iscoroutinefunction(method):
                result = await method(call)
            else:
                result = await asyncio.to_thread(method, call)
        except AwsError as error:
            return self._write(request, operation, error)
        return self._write(request, operation, result or {})

    def _parse(self, request: Request, operation: str, url_params: dict[str, Any]) -> dict[str, Any]:
        params = protocol.read_parameters(self.model, request, operation, url_params)
        shape = self.model.operation_model(operation).input_shape
        for name in shape.required_members if self.missing_parameter and shape is not None else ():
            if params.get(name) is None:
                message = f"Value null at '{name}' failed to satisfy constraint: Member must not be null"
                raise AwsError(self.missing_parameter, f"1 validation error detected: {message}", status=400)
        return params

    def _write(self, request: Request, operation: str, result: dict[str, Any] | AwsError) -> AwsResponse:
        return protocol.write_answer(self.model, request, operation, result)
