"""Reserved and provisioned concurrency.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html,
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import asyncio
import json
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext
from serinus.offline.core.readings import WEIGHTS_WITH_PROVISIONED
from serinus.offline.core.service import Call
from serinus.offline.sandbox.outcomes import SignalOutcome
from serinus.offline.services.lambda_.base import LambdaBase, invalid, not_found
from serinus.offline.services.lambda_.concurrency import UNRESERVED_MINIMUM
from serinus.offline.services.lambda_.execution import spec_of
from serinus.offline.services.lambda_.names import target_of
from serinus.offline.services.lambda_.paging import page
from serinus.offline.services.lambda_.shapes import timestamp
from serinus.offline.services.lambda_.state import LATEST, Alias, Function, ProvisionedConcurrency


class ProvisionedOperations(LambdaBase):
    """Put, Get, Delete of FunctionConcurrency; Put, Get, List, Delete of ProvisionedConcurrencyConfig."""

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self._balancing = asyncio.Lock()

    async def put_function_concurrency(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        executions = call.params["ReservedConcurrentExecutions"]
        others = sum(
            other.reserved_concurrency or 0
            for other in self.state.region(call.region).functions.values()
            if other is not function
        )
        if self.context.config.account_concurrency - others - executions < UNRESERVED_MINIMUM and executions > 0:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}]."
            )
        provisioned = sum(settings.requested for settings in function.provisioned.values())
        if executions < provisioned:
            raise invalid(
                "ReservedConcurrentExecutions must be greater than or equal to the sum of provisioned "
                f"concurrency, which is {provisioned}"
            )
        function.reserved_concurrency = executions
        return {"ReservedConcurrentExecutions": executions}

    async def get_function_concurrency(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        if function.reserved_concurrency is None:
            return {}
        return {"ReservedConcurrentExecutions": function.reserved_concurrency}

    async def delete_function_concurrency(self, call: Call) -> dict[str, Any]:
        self.function(call.region, target_of(call.params["FunctionName"]).name).reserved_concurrency = None
        return {}

    async def put_provisioned_concurrency_config(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._provisionable(call)
        executions = call.params["ProvisionedConcurrentExecutions"]
        self._require_provisionable(function, qualifier, executions)
        settings = ProvisionedConcurrency(executions, self.context.clock.time())
        function.provisioned[qualifier] = settings
        self.in_background(self._allocate(function, qualifier, settings))
        return _shape(settings)

    async def get_provisioned_concurrency_config(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._provisionable(call)
        settings = function.provisioned.get(qualifier)
        if settings is None:
            raise AwsError(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
                Type="User",
            )
        return _shape(settings)

    async def delete_provisioned_concurrency_config(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._provisionable(call)
        self.drop_provisioned(function, qualifier)
        return {}

    async def list_provisioned_concurrency_configs(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        shapes = [
            {"FunctionArn": f"{function.arn}:{qualifier}", **_shape(settings)}
            for qualifier, settings in function.provisioned.items()
        ]
        shown, more = page(shapes, call)
        return {"ProvisionedConcurrencyConfigs": list(shown), **more}

    def follow_alias(self, function: Function, alias: Alias) -> None:
        """Move an alias's provisioned environments to the versions it now points to."""
        settings = function.provisioned.get(alias.name)
        if settings is not None:
            self.in_background(self._allocate(function, alias.name, settings))

    def drop_provisioned(self, function: Function, qualifier: str) -> None:
        """Stop keeping a qualifier's environments warm."""
        if function.provisioned.pop(qualifier, None) is not None:
            self.in_background(self._rebalance(function))

    def _provisionable(self, call: Call) -> tuple[Function, str]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        qualifier = target.qualifier or LATEST
        if qualifier == LATEST:
            raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        if qualifier not in function.aliases and qualifier not in function.versions:
            kind = "version" if qualifier.isdecimal() else "alias"
            raise not_found(f"Cannot find {kind} arn: {function.arn}:{qualifier}")
        return function, qualifier

    def _require_provisionable(self, function: Function, qualifier: str, executions: int) -> None:
        alias = function.aliases.get(qualifier)
        if alias is not None and alias.additional:
            raise invalid(WEIGHTS_WITH_PROVISIONED)
        number = alias.version if alias else qualifier
        if number == LATEST:
            raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        if function.versions[number].configuration["SnapStart"]["ApplyOn"] != "None":
            raise invalid("Provisioned Concurrency is not supported for SnapStart enabled functions.")
        others = sum(each.requested for key, each in function.provisioned.items() if key != qualifier)
        limit = function.reserved_concurrency
        if limit is None:
            limit = self.context.config.account_concurrency - UNRESERVED_MINIMUM
        if others + executions > limit:
            raise invalid(
                f"Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution "
                f"for function or the account's unreserved concurrency: {others + executions} of {limit}"
            )

    async def _allocate(self, function: Function, qualifier: str, settings: ProvisionedConcurrency) -> None:
        settings.status, settings.status_reason = "IN_PROGRESS", None
        async with self._balancing:
            failure = await self._balance(function)
        if failure is None:
            settings.status, settings.allocated = "READY", settings.requested
            return
        words = json.loads(failure.payload or b"{}").get("errorMessage") or failure.error_type
        settings.status = "FAILED"
        settings.status_reason = f"{function.name}:{qualifier} could not be provisioned: {words}"

    async def _rebalance(self, function: Function) -> None:
        async with self._balancing:
            await self._balance(function)

    async def _balance(self, function: Function) -> SignalOutcome | None:
        """Provision as many warm environments for each version as its qualifiers require."""
        shares = dict.fromkeys(function.versions, 0)
        for qualifier, settings in function.provisioned.items():
            for number, share in _shares(function.aliases.get(qualifier), qualifier, settings.requested).items():
                shares[number] = shares.get(number, 0) + share
        for number, count in shares.items():
            version = function.versions.get(number)
            key = (function.region, function.name, number)
            if version is None or (count == 0 and not self.sandbox.has_provisioned(key)):
                continue
            failure = await self.sandbox.provision(spec_of(self, function, version), count)
            if failure is not None:
                return failure
        return None


def _shares(alias: Alias | None, qualifier: str, requested: int) -> dict[str, int]:
    """Environments by version: an alias's are split by its weights, at least one for each version."""
    if alias is None:
        return {qualifier: requested}
    shares = {
        number: max(1, round(requested * weight)) for number, weight in alias.additional.items() if weight > 0
    }
    return {**shares, alias.version: max(1, requested - sum(shares.values()))}


def _shape(settings: ProvisionedConcurrency) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "RequestedProvisionedConcurrentExecutions": settings.requested,
        "AvailableProvisionedConcurrentExecutions": settings.allocated,
        "AllocatedProvisionedConcurrentExecutions": settings.allocated,
        "Status": settings.status,
        "LastModified": timestamp(settings.last_modified),
    }
    if settings.status_reason:
        shape["StatusReason"] = settings.status_reason
    return shape
