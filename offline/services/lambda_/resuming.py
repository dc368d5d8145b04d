"""Resumes work that was interrupted when the cloud ended: updates, snapshots, warm workers, events."""

from serinus.offline.services.lambda_.aliases import AliasOperations
from serinus.offline.services.lambda_.asynchronous import AsynchronousInvocations
from serinus.offline.services.lambda_.functions import FunctionOperations, settle
from serinus.offline.services.lambda_.state import Function


class Resuming(FunctionOperations, AliasOperations, AsynchronousInvocations):
    """Resumes the service when a cloud restarts from a state folder; without a folder it does nothing."""

    def resume(self) -> None:
        for region in self.state.regions.values():
            for function in region.functions.values():
                self._resume_function(function)
        self.resume_events()

    def _resume_function(self, function: Function) -> None:
        if function.latest.state == "Pending" or function.latest.last_update_status == "InProgress":
            settle(function.latest)
        for version in function.versions.values():
            if version.state == "Pending":
                self.make_ready(function, version)
        for qualifier, settings in function.provisioned.items():
            self.in_background(self._allocate(function, qualifier, settings))
