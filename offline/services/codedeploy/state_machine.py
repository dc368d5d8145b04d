"""Drives deployments: a state machine on cloud time that resumes from its data alone.

A deployment has the phases BeforeAllowTraffic, AllowTraffic and AfterAllowTraffic. `proceed` advances it as far as
now possible and sets a timer for the next step; a hook's report, a timer, an alarm or a stop request calls it
again. Everything runs on the event loop, one step of a deployment at a time.
"""

import asyncio
import json
import random
import uuid

from serinus.offline.core.clock import Job, ScheduledJob
from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext, FunctionAliases, FunctionInvoker, Ports
from serinus.offline.services.codedeploy.alarm_watch import active_alarms, watched_alarms
from serinus.offline.services.codedeploy.alias_routing import alias_problem, set_weight
from serinus.offline.services.codedeploy.notifications import announce
from serinus.offline.services.codedeploy.records import (
    FINISHED,
    TRAFFIC,
    CodeDeployRegion,
    LambdaDeployment,
    LifecycleEvent,
)
from serinus.offline.services.codedeploy.rollback import is_configured, rollback_info, rollback_of

#: The time limit of a hook's report, in cloud seconds.
HOOK_LIMIT_S = 3600

HOOK_FAILED = "The deployment failed because one or more of the lifecycle event validation functions failed."
HOOK_TIMED_OUT = (
    "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within "
    "one hour after a deployment hook is invoked."
)
STOPPED = "The deployment was stopped by a request."


class DeploymentMachine:
    """Drives the deployments of all regions."""

    def __init__(self, context: CloudContext, regions: dict[str, CodeDeployRegion], ports: Ports) -> None:
        self._context = context
        self.functions: FunctionInvoker = ports.functions
        self.aliases: FunctionAliases = ports.function_aliases
        self._alarms = ports.alarms
        self._events = ports.events
        self._regions = regions
        self._locks: dict[str, asyncio.Lock] = {}
        self._timers: dict[str, ScheduledJob] = {}
        self._polls: dict[str, ScheduledJob] = {}
        self._source = random.Random(context.config.seed)
        self._waiters: dict[str, asyncio.Event] = {}

    # ---- entry points

    def launch(self, region: str, deployment: LambdaDeployment) -> None:
        """Start a deployment that was just created."""
        self._regions[region].deployments[deployment.id] = deployment
        deployment.updated_at = self._now()
        self._context.save_soon()
        self._soon(f"start {deployment.id}", lambda: self.proceed(region, deployment))

    def resume(self) -> None:
        """Resume every unfinished deployment from its data, as after a restart of the cloud."""
        for name, region in self._regions.items():
            for deployment in list(region.deployments.values()):
                if deployment.active:
                    self._resume_deployment(name, deployment)

    def _resume_deployment(self, region: str, deployment: LambdaDeployment) -> None:
        """Resume from the data: a hook whose report may be lost is invoked again.

        While the cloud was down, no alarm could stop the deployment: that time counts neither as bake nor against
        a hook's limit.
        """

        async def go_on() -> None:
            for event in deployment.events:
                if event.status == "InProgress":
                    event.invoked = False
                    event.started_at = event.started_at and event.started_at + self._context.slept_s
                    event.deadline = event.deadline and event.deadline + self._context.slept_s
            if deployment.status != "Created":
                async with self._lock(deployment):
                    if not await self._check_alarms(region, deployment):
                        return
                    self._poll_alarms(region, deployment)
            await self.proceed(region, deployment)

        self._soon(f"resume {deployment.id}", go_on)

    async def answer_hook(
        self, region: str, deployment: LambdaDeployment, event: LifecycleEvent, status: str
    ) -> None:
        """Record a hook's report, "Succeeded" or "Failed"."""
        async with self._lock(deployment):
            if not deployment.active or event.status != "InProgress":
                return
            if status == "Succeeded":
                self._end_event(deployment, event, "Succeeded")
            else:
                self._end_event(deployment, event, "Failed", "The validation function reported Failed.")
                await self._terminate(
                    region, deployment, "Failed", ("HOOK_EXECUTION_FAILURE", HOOK_FAILED), "failure"
                )
        await self.proceed(region, deployment)

    async def stop(self, region: str, deployment: LambdaDeployment, rollback: bool | None) -> None:
        """Stop on request; if ``rollback`` is None, the group's configuration decides whether to roll back."""
        async with self._lock(deployment):
            if deployment.active:
                await self._terminate(region, deployment, "Stopped", ("MANUAL_STOP", STOPPED), "request", rollback)

    def stop_soon(self, region: str, deployment: LambdaDeployment) -> None:
        """Stop without waiting, as when the caller that requested the deployment gave up."""
        self._soon(f"stop {deployment.id}", lambda: self.stop(region, deployment, None))

    def alarm_changed(self, region: str, alarm: str, _old: str, new: str, _reason: str) -> None:
        """Handle an alarm's state change: deployments that watch it stop when it fires, unless they poll."""
        if new != "ALARM" or region not in self._regions or self._context.config.readings.alarm_polling:
            return
        for deployment in list(self._regions[region].deployments.values()):
            if deployment.active and alarm in watched_alarms(deployment):
                self._check_soon(region, deployment)

    def _check_soon(self, region: str, deployment: LambdaDeployment) -> None:
        async def check() -> None:
            async with self._lock(deployment):
                if deployment.active:
                    await self._check_alarms(region, deployment)

        self._soon(f"alarms of {deployment.id}", check)

    def _poll_alarms(self, region: str, deployment: LambdaDeployment) -> None:
        """Have the deployment look at its alarms after an interval, and again until it has ended.

        AWS polls alarms, and states no interval.
        https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AlarmConfiguration.html
        """
        interval = self._context.config.readings.alarm_polling
        if not interval or not watched_alarms(deployment):
            return

        async def poll() -> None:
            async with self._lock(deployment):
                if deployment.active and await self._check_alarms(region, deployment):
                    self._poll_alarms(region, deployment)

        at = self._now() + interval.sample(self._source)
        self._polls[deployment.id] = self._context.clock.call_at(at, poll, name=f"alarms of {deployment.id}")

    async def finished(self, region: str, deployment: LambdaDeployment) -> None:
        """Return when the deployment, and its rollback if any, have ended."""
        await self._over(deployment)
        follower = deployment.rollback_info.get("rollbackDeploymentId")
        if follower is not None:
            await self._over(self._regions[region].deployments[follower])

    async def _over(self, deployment: LambdaDeployment) -> None:
        if deployment.active:
            await self._waiters.setdefault(deployment.id, asyncio.Event()).wait()

    # ---- the lifecycle

    async def proceed(self, region: str, deployment: LambdaDeployment) -> None:
        """Advance the deployment as far as now possible."""
        async with self._lock(deployment):
            if deployment.status == "Created" and not await self._start(region, deployment):
                return
            while deployment.active:
                event = deployment.current_event()
                if event is None:
                    await self._finish(region, deployment, "Succeeded")
                elif event.name == TRAFFIC:
                    if not await self._shift(region, deployment, event):
                        return
                elif not await self._hook(region, deployment, event):
                    return

    async def _start(self, region: str, deployment: LambdaDeployment) -> bool:
        """Start, unless an alarm is active or the alias differs from the AppSpec."""
        deployment.status, deployment.started_at = "InProgress", self._now()
        await self._announce(region, deployment)
        if not await self._check_alarms(region, deployment):
            return False
        # The alias of a rollback has the weights that are to be undone.
        problem = None if deployment.is_rollback else alias_problem(self.aliases, region, deployment.target)
        if problem is None:
            self._poll_alarms(region, deployment)
            return True
        await self._terminate(region, deployment, "Failed", problem, "failure")
        return False

    async def _hook(self, region: str, deployment: LambdaDeployment, event: LifecycleEvent) -> bool:
        """Run a hook's event; True when it has ended. Without a hook it succeeds at once."""
        if event.status == "Pending":
            event.status, event.started_at = "InProgress", self._now()
            deployment.updated_at = self._now()
            if event.hook is not None:
                event.execution_id, event.deadline = _execution_id(deployment), self._now() + HOOK_LIMIT_S
        if event.hook is None or event.deadline is None:
            self._end_event(deployment, event, "Succeeded")
            return True
        if self._now() >= event.deadline:
            self._end_event(deployment, event, "Failed", HOOK_TIMED_OUT)
            await self._terminate(region, deployment, "Failed", ("TIMEOUT", HOOK_TIMED_OUT), "failure")
            return False
        self._arm(region, deployment, event.deadline)
        if not event.invoked:
            event.invoked = True
            self._soon(f"{event.name} of {deployment.id}", lambda: self._invoke(region, deployment, event))
        return False

    async def _invoke(self, region: str, deployment: LambdaDeployment, event: LifecycleEvent) -> None:
        payload = {"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": event.execution_id}
        function, qualifier = _qualified(str(event.hook))
        try:
            await self.functions.invoke(
                function, qualifier, json.dumps(payload).encode(), region=region, invocation_type="Event"
            )
        except AwsError as error:
            async with self._lock(deployment):
                if not deployment.active or event.status != "InProgress":
                    return
                why = f"CodeDeploy could not invoke {event.hook}: {error.message}"
                self._end_event(deployment, event, "Failed", why)
                await self._terminate(
                    region, deployment, "Failed", ("HOOK_EXECUTION_FAILURE", HOOK_FAILED), "failure"
                )

    async def _shift(self, region: str, deployment: LambdaDeployment, event: LifecycleEvent) -> bool:
        """Make the due traffic shifts; True when all traffic is shifted."""
        if event.status == "Pending" or event.started_at is None:
            event.status, event.started_at = "InProgress", self._now()
        due = [step for step in deployment.shifts if event.started_at + step.after_s <= self._now() + 1e-3]
        if len(due) > deployment.shifted:
            problem = await set_weight(self.aliases, region, deployment.target, due[-1].weight)
            if problem is not None:
                self._end_event(deployment, event, "Failed", problem)
                error = ("INVALID_LAMBDA_CONFIGURATION", problem)
                await self._terminate(region, deployment, "Failed", error, "failure")
                return False
            deployment.shifted, deployment.updated_at = len(due), self._now()
            self._context.save_soon()
        if deployment.shifted == len(deployment.shifts):
            self._end_event(deployment, event, "Succeeded")
            return True
        self._arm(region, deployment, event.started_at + deployment.shifts[deployment.shifted].after_s)
        return False

    # ---- ends

    async def _check_alarms(self, region: str, deployment: LambdaDeployment) -> bool:
        """Stop the deployment if one of its alarms is active; True if none is."""
        error = active_alarms(self._alarms, region, deployment)
        if error is None:
            return True
        await self._terminate(region, deployment, "Stopped", error, "alarm")
        return False

    async def _terminate(
        self,
        region: str,
        deployment: LambdaDeployment,
        status: str,
        error: tuple[str, str],
        cause: str,
        rollback: bool | None = None,
    ) -> None:
        """End a deployment early and roll back if configured for ``cause``."""
        deployment.error = error
        for event in deployment.events:
            if event.status == "InProgress":
                self._end_event(deployment, event, "Failed", error[1])
            elif event.status == "Pending":
                event.status = "Skipped"
        if rollback is None:
            rollback = is_configured(deployment, cause)
        if rollback and not deployment.is_rollback:
            follower = rollback_of(deployment, self._now(), self._context.config.readings)
            deployment.rollback_info = rollback_info(deployment, follower)
            self.launch(region, follower)
        await self._finish(region, deployment, status)

    async def _finish(self, region: str, deployment: LambdaDeployment, status: str) -> None:
        assert status in FINISHED
        deployment.status = status
        deployment.completed_at = deployment.updated_at = self._now()
        self._disarm(deployment)
        self._stop_polling(deployment)
        self._locks.pop(deployment.id, None)
        waiter = self._waiters.pop(deployment.id, None)
        if waiter is not None:
            waiter.set()
        self._context.save_soon()
        await self._announce(region, deployment)

    def _end_event(
        self, deployment: LambdaDeployment, event: LifecycleEvent, status: str, message: str = ""
    ) -> None:
        event.status, event.ended_at, event.message = status, self._now(), message
        deployment.updated_at = self._now()

    # ---- time, locks, others

    def _now(self) -> float:
        return self._context.clock.time()

    def _lock(self, deployment: LambdaDeployment) -> asyncio.Lock:
        return self._locks.setdefault(deployment.id, asyncio.Lock())

    async def _announce(self, region: str, deployment: LambdaDeployment) -> None:
        group = self._regions[region].groups.get((deployment.application, deployment.group))
        await announce(self._context, self._events, region, group, deployment)

    def _soon(self, name: str, step: Job) -> None:
        """Run ``step`` as a job of the clock due now, so that a stepped clock awaits it."""
        self._context.clock.call_at(self._now(), step, name=name)

    def _arm(self, region: str, deployment: LambdaDeployment, at: float) -> None:
        self._disarm(deployment)
        self._timers[deployment.id] = self._context.clock.call_at(
            at, lambda: self.proceed(region, deployment), name=f"deployment {deployment.id}"
        )

    def _disarm(self, deployment: LambdaDeployment) -> None:
        timer = self._timers.pop(deployment.id, None)
        if timer is not None:
            timer.cancel()

    def _stop_polling(self, deployment: LambdaDeployment) -> None:
        poll = self._polls.pop(deployment.id, None)
        if poll is not None:
            poll.cancel()


def _execution_id(deployment: LambdaDeployment) -> str:
    """An opaque token that hooks send back."""
    return f"{uuid.uuid4().hex}{deployment.id.lower()}"


def _qualified(function: str) -> tuple[str, str | None]:
    """(function, qualifier) of a name or ARN with an optional version or alias."""
    parts = function.split(":")
    plain = 7 if function.startswith("arn:") else 1
    return ":".join(parts[:plain]), ":".join(parts[plain:]) or None
