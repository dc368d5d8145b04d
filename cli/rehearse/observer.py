"""What the cloud's own APIs say while a release runs: the alias' shares, and everything that happens, in order."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from serinus.cli.rehearse import alarm_titles
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.release_reader import Alarm, AliasState, Deployment, JudgeVerdict, RolloutReader

#: Real seconds between looks at the alias, and at everything else.
ALIAS_EVERY_S = 0.2
REST_EVERY_S = 0.7
#: Resource types whose events tell the story; the others are its machinery.
_TOLD = ("AWS::CloudFormation::Stack", "AWS::Lambda::Version", "AWS::Lambda::Alias")
_PHASES = {
    "BeforeAllowTraffic": "check before traffic",
    "AllowTraffic": "traffic shift",
    "AfterAllowTraffic": "check after traffic",
}
_BAD = ("FAILED", "ROLLBACK")


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """Something that happened at ``at`` (cloud time, epoch seconds). ``kind`` is its lane: stack, deployment,
    alias, alarm or verdict; ``tone`` good, bad or plain."""

    at: float
    kind: str
    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Shares:
    """The alias as it was seen at ``at`` (cloud time, epoch seconds), ``real_s`` by this machine's own clock."""

    at: float
    alias: AliasState
    real_s: float = 0.0


@dataclass(slots=True)
class Watch:
    """Looks at a release from ``since`` (cloud time, epoch seconds) on and remembers what it saw."""

    reader: RolloutReader
    cloudformation: Any
    clock: CloudTime
    since: float
    on_happening: Callable[[Happening], None]
    shares: list[Shares] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    verdicts: list[JudgeVerdict] = field(default_factory=list)
    #: Whether the stack was seen to be done with the release, one way or the other.
    at_rest: bool = False
    _descriptions: dict[str, str] = field(default_factory=dict)
    _fired: dict[str, float] = field(default_factory=dict)
    _seen: dict[Happening, None] = field(default_factory=dict)
    _alias_due: float = 0.0
    _rest_due: float = 0.0

    @property
    def happenings(self) -> list[Happening]:
        return sorted(self._seen)

    def look(self, *, at_all: bool = False) -> None:
        """Look at what is due, or ``at_all``."""
        now = time.monotonic()
        if at_all or now >= self._alias_due:
            self._alias_due = now + ALIAS_EVERY_S
            self._look_at_alias()
        if at_all or now >= self._rest_due:
            self._rest_due = now + REST_EVERY_S
            self._look_at_rest()

    def _look_at_alias(self) -> None:
        self.clock.keep_in_step()
        alias = self.reader.alias()
        if self.shares and self.shares[-1].alias != alias:
            self._tell(Happening(self.clock.now(), "alias", describe(alias)))
        self.shares.append(Shares(self.clock.now(), alias, time.monotonic()))

    def _look_at_rest(self) -> None:
        self.deployments = [one for one in self.reader.deployments(2) if one.created_at >= self.since]
        self.alarms = self.reader.alarms()
        self.verdicts = self.reader.verdicts(self.since)
        found = [*self._stack_events(), *self._of_deployments(), *self._of_alarms(), *self._of_verdicts()]
        for happening in sorted(found):
            self._tell(happening)

    def _tell(self, happening: Happening) -> None:
        if happening not in self._seen:
            self._seen[happening] = None
            self.on_happening(happening)

    def _stack_events(self) -> Iterator[Happening]:
        events = self.cloudformation.describe_stack_events(StackName=self.reader.stack)["StackEvents"]
        for event in events:
            at = event["Timestamp"].timestamp()
            if at < self.since or event["ResourceType"] not in _TOLD:
                continue
            name = event["ResourceType"].rpartition("::")[2].lower()
            status = event["ResourceStatus"]
            self.at_rest |= name == "stack" and is_at_rest(status)
            yield Happening(at, "stack", f"{name} {status.replace('_', ' ').lower()}", _tone(status))

    def _of_deployments(self) -> Iterator[Happening]:
        for one in self.deployments:
            what = "rollback" if one.undoes else "release"
            yield Happening(one.created_at, "deployment", f"{what} {one.id}: version {one.stable} to {one.canary}")
            for phase in one.phases if not one.undoes else ():
                name = _PHASES.get(phase.name, phase.name)
                if phase.started_at is not None:
                    yield Happening(phase.started_at, "deployment", f"{name} begins")
                if phase.ended_at is not None:
                    tone = "good" if phase.status == "Succeeded" else "bad"
                    yield Happening(phase.ended_at, "deployment", f"{name} {phase.status.lower()}", tone)
            if one.completed_at is not None:
                tone = "good" if one.status == "Succeeded" else "bad"
                why = f": {alarm_titles.plain(one.error)}" if one.error else ""
                yield Happening(one.completed_at, "deployment", f"{what} {one.id} {one.status.lower()}{why}", tone)

    def _of_alarms(self) -> Iterator[Happening]:
        """Those that fired, and those that a deployment names as what stopped it: a rollback of the stack takes
        the new version's alarms away before anyone has looked."""
        self._descriptions.update({alarm.name: alarm.description for alarm in self.alarms if alarm.description})
        for alarm in self.alarms:
            if alarm.state == "ALARM" and alarm.since >= self.since:
                self._fired.setdefault(alarm.name, alarm.since)
        for one in self.deployments:
            for name in alarm_titles.named_in(one.error):
                self._fired.setdefault(name, one.completed_at or one.created_at)
        for name, at in self._fired.items():
            said = self._descriptions.get(name)
            title = alarm_titles.title(name)
            yield Happening(at, "alarm", f"{title}. {said}" if said else f"{title}.", "bad")

    def _of_verdicts(self) -> Iterator[Happening]:
        last = None
        for said in self.verdicts:
            if said.verdict != last:
                tone = {"promote": "good", "roll back": "bad"}.get(said.verdict, "plain")
                yield Happening(said.at, "verdict", f"{said.verdict}: {said.reason}", tone)
            last = said.verdict


def describe(alias: AliasState) -> str:
    """The alias' shares in words."""
    if alias.canary is None:
        return f"all traffic meets version {alias.version}"
    return f"{alias.weight:.0%} of traffic meets version {alias.canary}, the rest version {alias.version}"


def is_at_rest(status: str) -> bool:
    """Whether a stack with ``status`` is done, one way or the other."""
    return status.endswith(("_COMPLETE", "_FAILED"))


def _tone(status: str) -> str:
    if any(word in status for word in _BAD):
        return "bad"
    return "good" if status.endswith("COMPLETE") else "plain"
