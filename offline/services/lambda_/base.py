"""Shared by Lambda's operations: state, lookups, revisions and their errors."""

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext
from serinus.offline.core.service import Call, Service
from serinus.offline.sandbox.sandbox import Sandbox
from serinus.offline.services.lambda_.archives import Archives
from serinus.offline.services.lambda_.constraints import require_valid
from serinus.offline.services.lambda_.names import LAYER_VERSION, QualifiedFunction, function_arn, target_of
from serinus.offline.services.lambda_.shapes import configuration_shape, logging_shape
from serinus.offline.services.lambda_.state import (
    LATEST,
    Alias,
    Function,
    FunctionVersion,
    LambdaState,
    LayerVersion,
)

if TYPE_CHECKING:
    from moto.core.request import Request


log = logging.getLogger(__name__)


class LambdaBase(Service):
    """State and lookups. All operations are coroutines, so state changes on the event loop only."""

    name = "lambda"
    state: LambdaState
    sandbox: Sandbox
    archives: Archives
    work_dir: Path

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.state = LambdaState()
        #: The random generator for alias weights and injected faults.
        self.dice = random.Random(context.config.seed)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def account_id(self) -> str:
        return self.context.config.account_id

    def _parse(self, request: "Request", operation: str, url_params: dict[str, Any]) -> dict[str, Any]:
        params = super()._parse(request, operation, url_params)
        require_valid(self.model.operation_model(operation), params)
        return params

    def target(self, call: Call) -> QualifiedFunction:
        """The function and qualifier of a call."""
        return target_of(call.params["FunctionName"], call.params.get("Qualifier"))

    def function(self, region: str, name: str) -> Function:
        existing = self.state.region(region).functions.get(name)
        if existing is None:
            raise not_found(f"Function not found: {function_arn(region, self.account_id, name)}")
        return existing

    def log_group(self, region: str, function: str) -> str:
        """The log group that the function's unpublished version writes to."""
        owner = self.function(region, target_of(function).name)
        group: str = logging_shape(owner.name, owner.latest.configuration["LoggingConfig"])["LogGroup"]
        return group

    def published_or_latest(self, function: Function, number: str) -> FunctionVersion:
        existing = function.version(number)
        if existing is None:
            raise not_found(f"Function not found: {function.arn}:{number}")
        return existing

    def version_behind(self, function: Function, qualifier: str | None) -> FunctionVersion:
        """The version of a qualifier; for a weighted alias, the first version."""
        alias = function.aliases.get(qualifier or "")
        return self.published_or_latest(function, alias.version if alias else qualifier or LATEST)

    def alias_of(self, function: Function, name: str) -> Alias:
        existing = function.aliases.get(name)
        if existing is None:
            raise not_found(f"Cannot find alias arn: {function.arn}:{name}")
        return existing

    def layer_version(self, arn: str) -> LayerVersion:
        """The layer version of an ARN, in any region."""
        match = LAYER_VERSION.match(arn)
        if match is None:
            raise invalid(f"Layer version ARN {arn} is not valid: a version number is missing.")
        layer = self.state.region(match["region"]).layers.get(match["name"])
        version = layer.versions.get(int(match["version"])) if layer else None
        if version is None:
            raise invalid(f"Layer version {arn} does not exist.")
        return version

    def shown(self, function: Function, version: FunctionVersion, *, qualified: bool) -> dict[str, Any]:
        """A version's FunctionConfiguration."""
        return configuration_shape(function, version, self._layer_sizes(version), qualified=qualified)

    def _layer_sizes(self, version: FunctionVersion) -> dict[str, int]:
        # A version keeps working after its layers are deleted, so their sizes may be unknown.
        return {
            arn: self.state.layer_sizes[arn]
            for arn in version.configuration["Layers"]
            if arn in self.state.layer_sizes
        }

    def require_qualifier(self, function: Function, qualifier: str | None) -> str:
        """``qualifier`` if it exists on the function ("" for none); raises ResourceNotFoundException."""
        if qualifier and qualifier not in function.aliases:
            self.published_or_latest(function, qualifier)
        return qualifier or ""

    def require_revision(self, revision_id: str | None, current: str) -> None:
        if revision_id and revision_id != current:
            raise AwsError(
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias "
                "API to retrieve the latest Revision Id",
                Type="User",
            )

    def in_background(self, work: Coroutine[None, None, None]) -> None:
        """Run a coroutine in the background of the request that started it."""
        task = asyncio.get_running_loop().create_task(work)
        self.context.clock.at_work_until(task)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background work of lambda failed", exc_info=task.exception())

    def soon(self, change: Callable[[], None]) -> None:
        """Apply ``change`` right after the current response, as AWS does within seconds."""
        asyncio.get_running_loop().call_soon(change)


def new_revision() -> str:
    return str(uuid.uuid4())


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, Type="User")


def conflict(message: str) -> AwsError:
    return AwsError("ResourceConflictException", message, Type="User")


def not_in_state_for_it(state: str) -> AwsError:
    return conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: "
        + state
    )


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, Type="User")
