"""Publishing versions: immutable, numbered once, deduplicated when nothing changed.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

import copy
import json
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.service import Call
from serinus.offline.services.lambda_.archives import hex_to_aws
from serinus.offline.services.lambda_.base import LambdaBase, conflict, invalid, new_revision, not_in_state_for_it
from serinus.offline.services.lambda_.execution import spec_of
from serinus.offline.services.lambda_.names import target_of
from serinus.offline.services.lambda_.paging import page
from serinus.offline.services.lambda_.state import LATEST, Function, FunctionVersion


class VersionOperations(LambdaBase):
    """PublishVersion, ListVersionsByFunction, and deletion of a version."""

    async def publish_version(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        latest = function.latest
        self.require_revision(call.params.get("RevisionId"), latest.revision_id)
        current = hex_to_aws(latest.code_sha256)
        code_sha256 = call.params.get("CodeSha256")
        if code_sha256 and code_sha256 != current:
            raise invalid(
                f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST ({current}). Please "
                "try again with the CodeSHA256 in $LATEST."
            )
        if latest.state == "Pending" or latest.last_update_status == "InProgress":
            raise not_in_state_for_it("Pending")
        return self.shown(function, self.publish(function, call.params.get("Description")), qualified=True)

    async def list_versions_by_function(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        versions = [function.latest, *function.versions.values()]
        shapes = [self.shown(function, version, qualified=True) for version in versions]
        shown, more = page(shapes, call)
        return {"Versions": list(shown), **more}

    def publish(self, function: Function, description: str | None = None) -> FunctionVersion:
        """Publish ``$LATEST``: returns the last version if nothing changed, else a new one."""
        latest = function.latest
        last = next(reversed(function.versions.values()), None)
        if last is not None and _same_content(last, latest):
            return last
        number = str(function.next_version)
        function.next_version += 1
        version = FunctionVersion(
            number,
            copy.deepcopy(latest.configuration),
            latest.code_sha256,
            latest.code_size_bytes,
            self.context.clock.time(),
            new_revision(),
            latest.description if description is None else description,
        )
        function.versions[number] = version
        self.make_ready(function, version)
        return version

    def make_ready(self, function: Function, version: FunctionVersion) -> None:
        """Change a published version from Pending to Active: at once, or when its snapshot is taken."""
        if version.configuration["SnapStart"]["ApplyOn"] == "PublishedVersions":
            self.in_background(self._take_snapshot(function, version))
        else:
            self.soon(lambda: _activate(version))

    def delete_version(self, function: Function, qualifier: str) -> None:
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if qualifier in function.aliases:
            raise invalid("Deletion of aliases is not currently supported.")
        if qualifier not in function.versions:
            return  # AWS returns 204 for a version that is already deleted
        users = [
            alias.name for alias in function.aliases.values() if qualifier in (alias.version, *alias.additional)
        ]
        if users:
            raise conflict(f"Unable to delete version because the following aliases reference it: {users}")
        del function.versions[qualifier]
        for settings in (function.policies, function.event_invoke, function.provisioned):
            settings.pop(qualifier, None)
        self.sandbox.retire((function.region, function.name, qualifier))

    async def _take_snapshot(self, function: Function, version: FunctionVersion) -> None:
        try:
            failure = await self.sandbox.snapshot(spec_of(self, function, version))
        except AwsError as error:
            _fail(version, error.message)
            return
        if failure is None:
            _activate(version)
        else:
            words = json.loads(failure.payload or b"{}").get("errorMessage", failure.error_type or "init failed")
            _fail(version, words)


def _fail(version: FunctionVersion, words: str) -> None:
    version.state, version.state_reason = "Failed", f"SnapStart: {words}"
    version.state_reason_code = "FunctionError"
    version.last_update_status = "Failed"


def _activate(version: FunctionVersion) -> None:
    version.state, version.state_reason, version.state_reason_code = "Active", None, None


def _same_content(published: FunctionVersion, latest: FunctionVersion) -> bool:
    return published.code_sha256 == latest.code_sha256 and published.configuration == latest.configuration
