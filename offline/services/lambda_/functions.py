"""Creating, reading, changing and deleting functions.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

import asyncio
import json
from typing import Any

from botocore.exceptions import ClientError

from serinus.offline.core.service import Call
from serinus.offline.services.lambda_.archives import MAX_UNZIPPED_BYTES, Package, hex_to_aws
from serinus.offline.services.lambda_.base import conflict, invalid, new_revision, not_in_state_for_it
from serinus.offline.services.lambda_.configuration import merged
from serinus.offline.services.lambda_.names import function_arn, target_of
from serinus.offline.services.lambda_.paging import page
from serinus.offline.services.lambda_.state import LATEST, Function, FunctionVersion
from serinus.offline.services.lambda_.versions import VersionOperations


class FunctionOperations(VersionOperations):
    """CreateFunction, GetFunction, Update..., DeleteFunction, ListFunctions."""

    async def create_function(self, call: Call) -> dict[str, Any]:
        name = target_of(call.params["FunctionName"]).name
        self._require_free(call.region, name)
        configuration = merged({}, call.params)
        package = await self._accepted(call)
        self._require_sizes(package, configuration["Layers"])
        await self._require_role(configuration["Role"])
        self._require_free(call.region, name)
        latest = FunctionVersion(
            LATEST,
            configuration,
            package.sha256,
            package.size_bytes,
            self.context.clock.time(),
            new_revision(),
            configuration["Description"],
        )
        arn = function_arn(call.region, self.account_id, name)
        function = Function(name, call.region, arn, latest, tags=dict(call.params.get("Tags") or {}))
        self.state.region(call.region).functions[name] = function
        shown = latest
        if call.params.get("Publish"):
            shown = self.publish(function)
        output = self.shown(function, shown, qualified=shown is not latest)
        self.soon(lambda: settle(latest))
        return output

    async def get_function(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        version = self.version_behind(function, target.qualifier)
        location = self.archives.url(version.code_sha256)
        output: dict[str, Any] = {
            "Configuration": self._qualified_configuration(function, version, target.qualifier),
            "Code": {"RepositoryType": "S3", "Location": location},
        }
        if function.tags:
            output["Tags"] = dict(function.tags)
        if function.reserved_concurrency is not None:
            output["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return output

    async def get_function_configuration(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        return self._qualified_configuration(
            function, self.version_behind(function, target.qualifier), target.qualifier
        )

    async def update_function_code(self, call: Call) -> dict[str, Any]:
        function = self._updatable(call)
        package = await self._accepted(call)
        latest = function.latest
        self._require_sizes(package, latest.configuration["Layers"])
        changes = {name: call.params[name] for name in ("Architectures",) if call.params.get(name)}
        if call.params.get("DryRun"):
            shape = self.shown(function, latest, qualified=False)
            return {**shape, "CodeSha256": hex_to_aws(package.sha256), "CodeSize": package.size_bytes}
        latest.configuration = {**latest.configuration, **changes}
        latest.code_sha256, latest.code_size_bytes = package.sha256, package.size_bytes
        return self._updated(function, publish=bool(call.params.get("Publish")))

    async def update_function_configuration(self, call: Call) -> dict[str, Any]:
        function = self._updatable(call)
        configuration = merged(function.latest.configuration, call.params)
        if call.params.get("Role"):
            await self._require_role(configuration["Role"])
        latest = function.latest
        unzipped = self.state.unzipped_bytes[latest.code_sha256]
        package = Package(latest.code_sha256, latest.code_size_bytes, unzipped)
        self._require_sizes(package, configuration["Layers"])
        latest.configuration = configuration
        latest.description = configuration["Description"]
        return self._updated(function, publish=False)

    async def delete_function(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        if target.qualifier is None:
            del self.state.region(call.region).functions[function.name]
            for number in (LATEST, *function.versions):
                self.sandbox.retire((call.region, function.name, number))
        else:
            self.delete_version(function, target.qualifier)
        return {"StatusCode": 204}

    async def list_functions(self, call: Call) -> dict[str, Any]:
        shapes = []
        for function in self.state.region(call.region).functions.values():
            versions = [function.latest]
            every = call.params.get("FunctionVersion") == "ALL"
            versions += function.versions.values() if every else []
            shapes += [self.shown(function, version, qualified=every) for version in versions]
        functions, more = page(shapes, call)
        return {"Functions": list(functions), **more}

    def _qualified_configuration(
        self, function: Function, version: FunctionVersion, qualifier: str | None
    ) -> dict[str, Any]:
        shape = self.shown(function, version, qualified=False)
        if qualifier:
            shape["FunctionArn"] = f"{function.arn}:{qualifier}"
        return shape

    def _require_free(self, region: str, name: str) -> None:
        if name in self.state.region(region).functions:
            raise conflict(f"Function already exist: {name}")

    def _updatable(self, call: Call) -> Function:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        latest = function.latest
        self.require_revision(call.params.get("RevisionId"), latest.revision_id)
        if latest.state == "Pending":
            raise not_in_state_for_it("Pending")
        if latest.last_update_status == "InProgress":
            raise conflict(
                "The operation cannot be performed at this time. An update is in progress for resource: "
                f"{function.arn}"
            )
        return function

    def _updated(self, function: Function, *, publish: bool) -> dict[str, Any]:
        latest = function.latest
        latest.last_modified = self.context.clock.time()
        latest.revision_id = new_revision()
        latest.last_update_status = "InProgress"
        shown = self.publish(function) if publish else latest
        output = self.shown(function, shown, qualified=shown is not latest)
        self.soon(lambda: settle(latest))
        return output

    async def _accepted(self, call: Call) -> Package:
        code = call.params.get("Code", call.params)
        package = await asyncio.to_thread(self.archives.accept, code, call.region)
        self.state.unzipped_bytes[package.sha256] = package.unzipped_bytes
        return package

    def _require_sizes(self, package: Package, layer_arns: list[str]) -> None:
        layers = [self.layer_version(arn) for arn in layer_arns]
        names = [layer.arn.rsplit(":", 1)[0] for layer in layers]
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise invalid(f"Two different versions of the same layer are not allowed to be referenced: {repeated}")
        total = package.unzipped_bytes + sum(layer.unzipped_bytes for layer in layers)
        if total > MAX_UNZIPPED_BYTES:
            raise invalid(
                f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNZIPPED_BYTES} "
                f"bytes. The actual size is {total} bytes."
            )

    async def _require_role(self, role_arn: str) -> None:
        if not await asyncio.to_thread(self._lambda_may_assume, role_arn):
            raise invalid("The role defined for the function cannot be assumed by Lambda.")

    def _lambda_may_assume(self, role_arn: str) -> bool:
        try:
            role = self.context.client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])["Role"]
        except ClientError:
            return False
        document = role["AssumeRolePolicyDocument"]
        return "lambda.amazonaws.com" in json.dumps(document)


def settle(version: FunctionVersion) -> None:
    """Complete a creation or an update: the version can now be invoked."""
    version.state, version.state_reason, version.state_reason_code = "Active", None, None
    version.last_update_status = "Successful"
