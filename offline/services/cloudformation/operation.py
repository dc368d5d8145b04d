"""Stack operations: create, update, roll back, delete.

Each runs in its own thread and always leaves the stack in one of AWS's final statuses.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from serinus.offline.core.clock import ScheduledJob
from serinus.offline.core.errors import AwsError
from serinus.offline.services.cloudformation import plan
from serinus.offline.services.cloudformation.changes import outputs_of
from serinus.offline.services.cloudformation.errors import ResourceFailed, invalid
from serinus.offline.services.cloudformation.graph import reversed_graph, run_graph
from serinus.offline.services.cloudformation.intrinsics import Evaluator
from serinus.offline.services.cloudformation.lookup import StandingResources, evaluator_for
from serinus.offline.services.cloudformation.resource_work import ResourceWork, failure_reason
from serinus.offline.services.cloudformation.state import Revision, StableState, Stack, StackResource, State

if TYPE_CHECKING:
    from serinus.offline.services.cloudformation.engine import Engine

log = logging.getLogger(__name__)

#: AWS states it where it limits the bakes of another service.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-ecs-service-canaryconfiguration.html
LIMIT_S = 36 * 3600.0

PolicyOf = Callable[[StackResource], str | None]

CUSTOM_NAMED = (
    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
    "Rename {name} and update the stack again."
)


class Operation:
    """One operation on one stack."""

    def __init__(self, engine: "Engine", stack: Stack, closing: threading.Event) -> None:
        self.context = engine.context
        self.state = engine.state
        self.stack = stack
        self.journal = engine.event_log(stack)
        self.work = ResourceWork(engine, stack, self.journal, closing)
        self._timeout: ScheduledJob | None = None
        self._timed_out = False
        self._limit: ScheduledJob | None = None
        self._limit_passed = False
        self._user_cancelled = False
        self._deleted_meanwhile = False

    # -- create and update

    def create(self, revision: Revision, on_failure: str) -> None:
        """Create a new stack's resources. ``on_failure`` is ROLLBACK, DELETE or DO_NOTHING."""
        self._start_timeout()
        reason = self._deploy(revision)
        if self._deleted_meanwhile:
            self.delete(frozenset())
        elif reason is None:
            self._delete_leftovers()
            self._finish(revision, "CREATE_COMPLETE")
        elif on_failure == "ROLLBACK":
            self.roll_back_create(reason + "Rollback requested by user.")
        elif on_failure == "DELETE":
            self.journal.stack("DELETE_IN_PROGRESS", reason + "Delete requested by user.")
            self.delete(frozenset())
        else:
            self.journal.stack("CREATE_FAILED", reason)

    def update(self, revision: Revision, *, disable_rollback: bool) -> None:
        """Update a stack to ``revision``, or roll it back to its last good state."""
        reason = self._deploy(revision)
        if reason is None:
            self._leave_behind_removed(revision)
            self.journal.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            self.clean_up(revision)
        elif disable_rollback and not self._user_cancelled:
            self.stack.revision = revision
            self.journal.stack("UPDATE_FAILED", reason)
        else:
            self.journal.stack("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            self.roll_back_update(frozenset())

    def clean_up(self, revision: Revision) -> None:
        """Delete the resources that an update replaced or removed: its last phase."""
        self._delete_leftovers()
        self._finish(revision, "UPDATE_COMPLETE")

    def _deploy(self, revision: Revision) -> str | None:
        """Create and update in dependency order; returns the reason for a failure, or None."""
        evaluator = self._evaluator(revision)
        self._start_limit()
        self.stack.imports.clear()
        try:
            policies_order = self.context.config.readings.update_policy_order == "yes"
            graph = plan.dependency_graph(evaluator, policies_order=policies_order)
            failed = run_graph(
                graph,
                lambda name: self._apply(evaluator, revision, name, graph[name]),
                stop=self.work.stop,
                on_stop=self.work.cancel,
            )
            self.work.check_open()
            if self._user_cancelled:
                return "User Initiated "
            if self._limit_passed:
                return "The operation exceeded the limit of 36 hours. "
            if self._timed_out:
                return "Stack creation time exceeded the specified timeout. "
            if failed:
                return self._failed_resources()
            self._resolve_update_policies(evaluator)
            return self._settle_outputs(evaluator)
        except AwsError as error:
            return f"{error.message} "
        finally:
            for job in (self._timeout, self._limit):
                if job is not None:
                    job.cancel()

    def _apply(self, evaluator: Evaluator, revision: Revision, logical_id: str, needs: set[str]) -> None:
        current = self.stack.resources.get(logical_id)
        try:
            creates = current is None or current.physical_id is None
            want = plan.plan_resource(evaluator, revision, logical_id, needs, creates=creates)
        except Exception as error:
            reason = failure_reason(error)
            self._fail_unresolved(evaluator, logical_id, reason)
            raise ResourceFailed(reason) from error
        if current is None or current.physical_id is None:
            self.work.create(want)
        elif current.status == "CREATE_FAILED":
            self._leave_behind(current, None)
            self.work.create(want)
        elif plan.replacing_properties(current, want):
            self._replace(current, want)
        elif plan.differs(current, want) or current.status == "UPDATE_FAILED":
            replaced = self.work.update(want)
            if replaced is not None:
                self._leave_behind(replaced, want.definition.get("UpdateReplacePolicy"))
        else:
            current.definition, current.needs = want.definition, want.needs

    def _replace(self, current: StackResource, want: plan.PlannedResource) -> None:
        if plan.keeps_custom_name(current, want):
            reason = CUSTOM_NAMED.format(name=current.physical_id)
            self.journal.resource(current, "UPDATE_FAILED", reason)
            raise ResourceFailed(reason)
        self.work.create(want, replaces=current)
        self._leave_behind(current, want.definition.get("UpdateReplacePolicy"))

    def _fail_unresolved(self, evaluator: Evaluator, logical_id: str, reason: str) -> None:
        resource = self.stack.resources.get(logical_id)
        if resource is None:
            definition = evaluator.template.resources[logical_id]
            resource = StackResource(logical_id, definition["Type"], definition=definition)
            self.stack.resources[logical_id] = resource
        self.journal.resource(resource, "UPDATE_FAILED" if resource.physical_id else "CREATE_FAILED", reason)

    def _resolve_update_policies(self, evaluator: Evaluator) -> None:
        """A resource was created before what its update policy names; a rollback to this state performs it."""
        for name, definition in plan.active_resources(evaluator).items():
            if "UpdatePolicy" in definition:
                resource = self.stack.resources[name]
                policy = evaluator.resolve(definition["UpdatePolicy"])
                resource.definition = {**resource.definition, "UpdatePolicy": policy}

    def _failed_resources(self) -> str:
        reason = ""
        for status, verb in (("CREATE_FAILED", "create"), ("UPDATE_FAILED", "update")):
            names = [name for name, resource in self.stack.resources.items() if resource.status == status]
            if names:
                reason += f"The following resource(s) failed to {verb}: [{', '.join(names)}]. "
        return reason

    def _settle_outputs(self, evaluator: Evaluator) -> str | None:
        outputs = outputs_of(evaluator)
        exports = self.state.exports(self.stack.region)
        new = {output.export: output.value for output in outputs if output.export is not None}
        for name in new:
            if name in exports and exports[name][0] is not self.stack:
                return f"Export with name {name} is already exported by stack {exports[name][0].name}. "
        for old in self.stack.outputs:
            users = self.state.importers(self.stack.region, old.export) if old.export else []
            if old.export and users and new.get(old.export) != old.value:
                verb = "updated" if old.export in new else "deleted"
                return f"Export {old.export} cannot be {verb} as it is in use by {', '.join(users)}. "
        self.stack.outputs = outputs
        return None

    def _finish(self, revision: Revision, status: str) -> None:
        self.stack.revision = revision
        self.stack.stable = None
        self.journal.stack(status)

    # -- rollback

    def roll_back_create(self, reason: str = "") -> None:
        """Delete the resources of a failed create."""
        self.journal.stack("ROLLBACK_IN_PROGRESS", reason)
        self.work.stop.clear()
        failed = self._delete_all(self._policy_for_new)
        if failed:
            self.journal.stack(
                "ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            )
        else:
            self.stack.outputs = []
            self.stack.stable = None
            self.journal.stack("ROLLBACK_COMPLETE")

    def roll_back_update(self, skip: frozenset[str]) -> None:
        """Return to the last good state; resources in ``skip`` are left as they are."""
        stable = self.stack.stable
        assert stable is not None
        self.work.stop.clear()
        graph = {name: set(resource.needs) for name, resource in stable.resources.items()}
        failed = run_graph(
            graph,
            lambda name: self._restore(stable.resources[name], skip),
            stop=self.work.stop,
            on_stop=self.work.cancel,
        )
        if failed:
            self.journal.stack("UPDATE_ROLLBACK_FAILED", self._failed_resources())
            return
        for name in [name for name in self.stack.resources if name not in stable.resources]:
            created = self.stack.resources.pop(name)
            self._leave_behind(created, self._policy_for_new(created))
        self.stack.revision = stable.revision
        self.stack.outputs, self.stack.imports = list(stable.outputs), set(stable.imports)
        self.journal.stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._delete_leftovers()
        self.stack.stable = None
        self.journal.stack("UPDATE_ROLLBACK_COMPLETE")

    def _restore(self, good: StackResource, skip: frozenset[str]) -> None:
        current = self.stack.resources.get(good.logical_id)
        if good.logical_id in skip and current is not None:
            self.stack.resources[good.logical_id] = restored = good.copy()
            self.journal.resource(restored, "UPDATE_COMPLETE", "Resource update skipped by user request")
        elif current is None or current.physical_id != good.physical_id:
            self._switch_back(current, good)
        elif (
            current.properties != good.properties or current.tags != good.tags or current.status == "UPDATE_FAILED"
        ):
            want = plan.PlannedResource(
                good.logical_id, good.type, good.definition, good.properties, good.tags, good.needs
            )
            self.work.update(want, rolling_back=True)
        else:
            current.definition, current.needs = good.definition, good.needs

    def _switch_back(self, current: StackResource | None, good: StackResource) -> None:
        self.stack.resources[good.logical_id] = restored = good.copy()
        self.stack.leftovers = [
            resource for resource in self.stack.leftovers if resource.physical_id != good.physical_id
        ]
        self.journal.resource(restored, "UPDATE_COMPLETE")
        if current is not None and current.physical_id is not None:
            self._leave_behind(current, self._policy_for_new(current))

    # -- delete

    def delete(self, retain: frozenset[str], *, force: bool = False) -> None:
        """Delete all resources but ``retain`` and those that policies keep; ``force`` ignores failed deletions."""
        self.work.stop.clear()
        failed = self._delete_all(
            lambda r: "Retain" if r.logical_id in retain else r.definition.get("DeletionPolicy")
        )
        if failed and not force:
            names = ", ".join(failed)
            self.journal.stack("DELETE_FAILED", f"The following resource(s) failed to delete: [{names}]. ")
            return
        self.stack.outputs = []
        self.stack.imports.clear()
        self.stack.deleted = self.context.clock.time()
        self.journal.stack("DELETE_COMPLETE")

    def _delete_all(self, policy_of: PolicyOf) -> list[str]:
        standing = {
            name: resource
            for name, resource in self.stack.resources.items()
            if resource.status != "DELETE_COMPLETE"
        }
        graph = reversed_graph({name: set(resource.needs) for name, resource in standing.items()})
        return run_graph(
            graph,
            lambda name: self._delete_resource(standing[name], policy_of(standing[name])),
            stop=threading.Event(),
            keep_going=True,
        )

    def _delete_resource(self, resource: StackResource, policy: str | None) -> None:
        if keeps(policy) and resource.physical_id is not None:
            self.journal.resource(resource, "DELETE_SKIPPED")
        else:
            self.work.delete(resource)

    def _policy_for_new(self, resource: StackResource) -> str | None:
        """The deletion policy of a resource that the failed operation itself created."""
        policy = resource.definition.get("DeletionPolicy")
        discard = policy == "RetainExceptOnCreate" or self.stack.retain_except_on_create
        return None if discard else policy

    def _leave_behind_removed(self, revision: Revision) -> None:
        active = plan.active_resources(self._evaluator(revision))
        for name in [name for name in self.stack.resources if name not in active]:
            removed = self.stack.resources.pop(name)
            self._leave_behind(removed, removed.definition.get("DeletionPolicy"))

    def _leave_behind(self, resource: StackResource, policy: str | None) -> None:
        old = resource.copy()
        old.definition = {**old.definition, "DeletionPolicy": policy or "Delete"}
        self.stack.leftovers.append(old)

    def _delete_leftovers(self) -> None:
        """Clean up; resources that cannot be deleted are left in place, as on AWS."""
        leftovers = {f"{r.logical_id}/{r.physical_id}": r for r in self.stack.leftovers}
        names: dict[str, set[str]] = {}
        for key, resource in leftovers.items():
            names.setdefault(resource.logical_id, set()).add(key)
        graph = {
            key: {other for need in resource.needs for other in names.get(need, ())}
            for key, resource in leftovers.items()
        }
        run_graph(
            reversed_graph(graph),
            lambda key: self._delete_resource(leftovers[key], leftovers[key].definition.get("DeletionPolicy")),
            stop=threading.Event(),
            keep_going=True,
        )
        self.stack.leftovers = []

    # -- shared

    def remember_stable(self) -> None:
        """Save the present state for a rollback, unless a failed update already did."""
        if self.stack.stable is None and self.stack.revision is not None:
            resources = {name: resource.copy() for name, resource in self.stack.resources.items()}
            outputs, imports = list(self.stack.outputs), frozenset(self.stack.imports)
            self.stack.stable = StableState(self.stack.revision, resources, outputs, imports)

    def _evaluator(self, revision: Revision) -> Evaluator:
        lookup = StandingResources(self.state, self.stack)
        return evaluator_for(revision, self.stack, self.context.config.account_id, lookup)

    def _start_timeout(self) -> None:
        if self.stack.timeout_minutes is not None:
            self._timeout = self.context.clock.call_later(
                self.stack.timeout_minutes * 60, self._time_out, name=f"timeout of stack {self.stack.name}"
            )

    def _start_limit(self) -> None:
        if self.context.config.readings.stack_operation_limit == "none":
            return
        begun_at = [event.time for event in self.stack.events if event.operation_id == self.stack.operation_id]
        due = (begun_at[0] if begun_at else self.context.clock.time()) + LIMIT_S
        self._limit = self.context.clock.call_at(due, self._pass_limit, name=f"limit of stack {self.stack.name}")

    async def _pass_limit(self) -> None:
        self._limit_passed = True
        self.work.stop.set()

    def cancel_update(self) -> None:
        """Stop a running update and roll it back."""
        self._user_cancelled = True
        self.work.stop.set()

    def delete_instead(self) -> None:
        """Stop a running create and delete the resources created so far."""
        self._deleted_meanwhile = True
        self.journal.stack("DELETE_IN_PROGRESS", "User Initiated")
        self.work.stop.set()

    async def _time_out(self) -> None:
        self._timed_out = True
        self.work.stop.set()


def keeps(policy: str | None) -> bool:
    """Whether a deletion policy keeps a resource whose stack or definition is deleted."""
    return policy in ("Retain", "RetainExceptOnCreate")


def refuse_export_loss(state: State, stack: Stack) -> None:
    """Raise ValidationError if another stack imports an export of ``stack``."""
    for output in stack.outputs:
        users = state.importers(stack.region, output.export) if output.export else []
        users = [name for name in users if name != stack.name]
        if users:
            raise invalid(
                f"Delete canceled. Cannot delete export {output.export} as it is in use by {', '.join(users)}."
            )
