"""Reads the cloud's own APIs while a release runs: the alias's weights, and every event, in order of time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from serinus.cli.rehearse import alarm_titles
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.release_reader import Alarm, AliasDeployment, AliasState, JudgeVerdict, RolloutReader

#: Real seconds between polls of the alias, unless time is skipped, and of everything else.
ALIAS_EVERY_S = 0.2
REST_EVERY_S = 0.7
#: Resource types whose events matter to a release.
_SHOWN_RESOURCES = ("AWS::CloudFormation::Stack", "AWS::Lambda::Version", "AWS::Lambda::Alias")
_PHASES = {
    "BeforeAllowTraffic": "pre-traffic check",
    "AllowTraffic": "traffic shift",
    "AfterAllowTraffic": "post-traffic check",
}
_BAD = ("FAILED", "ROLLBACK")


@dataclass(frozen=True, slots=True)
class ObservedEvent:
    """An event at ``at`` (cloud time, epoch seconds). ``kind`` is its source: stack, deployment,
    alias, alarm or verdict; ``tone`` good, bad or plain."""

    at: float
    kind: str
    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class AliasSample:
    """The alias as it was read at ``at`` (cloud time, epoch seconds), ``real_s`` by this machine's own clock."""

    at: float
    alias: AliasState
    real_s: float = 0.0


@dataclass(slots=True)
class ReleaseObserver:
    """Polls a release from ``since`` (cloud time, epoch seconds) on and records what it reads."""

    reader: RolloutReader
    cloudformation: Any
    clock: CloudTime
    since: float
    on_event: Callable[[ObservedEvent], None]
    alias_every_s: float
    alias_samples: list[AliasSample] = field(default_factory=list)
    deployments: list[AliasDeployment] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    verdicts: list[JudgeVerdict] = field(default_factory=list)
    #: Whether the stack's update has begun, and whether it has ended, successfully or not.
    under_way: bool = False
    at_rest: bool = False
    _descriptions: dict[str, str] = field(default_factory=dict)
    _fired: dict[str, float] = field(default_factory=dict)
    _seen: dict[ObservedEvent, None] = field(default_factory=dict)
    _alias_due: float = 0.0
    _rest_due: float = 0.0

    @property
    def observed(self) -> list[ObservedEvent]:
        return sorted(self._seen, key=lambda event: event.at)

    @property
    def weighted(self) -> bool:
        """Whether the alias had weights at the last poll."""
        return bool(self.alias_samples) and self.alias_samples[-1].alias.canary is not None

    def poll(self, *, force: bool = False) -> None:
        """Poll what is due, or everything with ``force``."""
        now = time.monotonic()
        if force or now >= self._alias_due:
            self._alias_due = now + self.alias_every_s
            self._poll_alias()
        if force or now >= self._rest_due:
            self._rest_due = now + REST_EVERY_S
            self._poll_services()

    def _poll_alias(self) -> None:
        self.clock.keep_in_step()
        alias = self.reader.alias()
        if self.alias_samples and self.alias_samples[-1].alias != alias:
            self._report(ObservedEvent(self.clock.now(), "alias", describe(alias)))
        self.alias_samples.append(AliasSample(self.clock.now(), alias, time.monotonic()))

    def _poll_services(self) -> None:
        self.deployments = [
            deployment for deployment in self.reader.deployments(2) if deployment.created_at >= self.since
        ]
        self.alarms = self.reader.alarms()
        self.verdicts = self.reader.verdicts(self.since)
        events = [
            *self._stack_events(),
            *self._deployment_events(),
            *self._alarm_events(),
            *self._verdict_events(),
        ]
        for event in sorted(events, key=lambda event: event.at):
            self._report(event)

    def _report(self, event: ObservedEvent) -> None:
        if event not in self._seen:
            self._seen[event] = None
            self.on_event(event)

    def _stack_events(self) -> Iterator[ObservedEvent]:
        events = self.cloudformation.describe_stack_events(StackName=self.reader.stack)["StackEvents"]
        for event in reversed(events):  # AWS lists the newest first
            at = event["Timestamp"].timestamp()
            if at < self.since or event["ResourceType"] not in _SHOWN_RESOURCES:
                continue
            name = event["ResourceType"].rpartition("::")[2].lower()
            status = event["ResourceStatus"]
            if name == "stack":
                self.at_rest |= is_at_rest(status)
                self.under_way = not self.at_rest
            yield ObservedEvent(at, "stack", f"{name} {status.replace('_', ' ').lower()}", _tone(status))

    def _deployment_events(self) -> Iterator[ObservedEvent]:
        for deployment in reversed(self.deployments):
            what = "rollback" if deployment.restores else "release"
            yield ObservedEvent(
                deployment.created_at,
                "deployment",
                f"{what} {deployment.id}: version {deployment.stable} to {deployment.canary}",
            )
            for phase in deployment.phases if not deployment.restores else ():
                name = _PHASES.get(phase.name, phase.name)
                if phase.started_at is not None:
                    yield ObservedEvent(phase.started_at, "deployment", f"{name} started")
                if phase.ended_at is not None:
                    tone = "good" if phase.status == "Succeeded" else "bad"
                    yield ObservedEvent(phase.ended_at, "deployment", f"{name} {phase.status.lower()}", tone)
            if deployment.completed_at is not None:
                tone = "good" if deployment.status == "Succeeded" else "bad"
                why = f": {alarm_titles.plain_message(deployment.error)}" if deployment.error else ""
                yield ObservedEvent(
                    deployment.completed_at,
                    "deployment",
                    f"{what} {deployment.id} {deployment.status.lower()}{why}",
                    tone,
                )

    def _alarm_events(self) -> Iterator[ObservedEvent]:
        """Alarms that fired, and those that a deployment names as the cause of its stop: a rollback of the stack
        deletes the new version's alarms before the next poll."""
        self._descriptions.update({alarm.name: alarm.description for alarm in self.alarms if alarm.description})
        for alarm in self.alarms:
            if alarm.state == "ALARM" and alarm.since >= self.since:
                self._fired.setdefault(alarm.name, alarm.since)
        for deployment in self.deployments:
            for name in alarm_titles.named_in(deployment.error):
                self._fired.setdefault(name, deployment.completed_at or deployment.created_at)
        for name, at in self._fired.items():
            description = self._descriptions.get(name)
            title = alarm_titles.title(name)
            yield ObservedEvent(at, "alarm", f"{title}. {description}" if description else f"{title}.", "bad")

    def _verdict_events(self) -> Iterator[ObservedEvent]:
        previous = None
        for verdict in self.verdicts:
            if verdict.verdict != previous:
                tone = {"promote": "good", "roll back": "bad"}.get(verdict.verdict, "plain")
                yield ObservedEvent(verdict.at, "verdict", f"{verdict.verdict}: {verdict.reason}", tone)
            previous = verdict.verdict


def describe(alias: AliasState) -> str:
    """The alias's weights in words."""
    if alias.canary is None:
        return f"all traffic goes to version {alias.version}"
    return f"{alias.weight:.0%} of traffic goes to version {alias.canary}, the rest to version {alias.version}"


def is_at_rest(status: str) -> bool:
    """Whether a stack with ``status`` has finished its update, successfully or not."""
    return status.endswith(("_COMPLETE", "_FAILED"))


def _tone(status: str) -> str:
    if any(word in status for word in _BAD):
        return "bad"
    return "good" if status.endswith("COMPLETE") else "plain"
