"""CodeDeploy's state: plain, picklable data from which a running deployment can be resumed.

All times are cloud epoch seconds.
"""

from dataclasses import dataclass, field
from typing import Any

BEFORE = "BeforeAllowTraffic"
TRAFFIC = "AllowTraffic"
AFTER = "AfterAllowTraffic"
LIFECYCLE = (BEFORE, TRAFFIC, AFTER)

FINISHED = ("Succeeded", "Failed", "Stopped")


@dataclass(slots=True)
class Application:
    """An application of the Lambda compute platform."""

    id: str
    name: str
    created_at: float
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """A deployment group; ``settings`` are those of Create- or UpdateDeploymentGroup, with defaults."""

    id: str
    application: str
    name: str
    settings: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrafficShift:
    """A traffic shift: ``after_s`` seconds into AllowTraffic, ``weight`` (0 to 1) goes to the target."""

    after_s: float
    weight: float


@dataclass(frozen=True, slots=True)
class DeploymentConfig:
    """A deployment configuration; ``routing`` is the TrafficRoutingConfig."""

    id: str
    name: str
    routing: dict[str, Any]
    created_at: float


@dataclass(frozen=True, slots=True)
class LambdaTarget:
    """The alias that a deployment shifts from one version of a function to another."""

    function: str
    alias: str
    current_version: str
    target_version: str

    @property
    def id(self) -> str:
        return f"{self.function}:{self.alias}"


@dataclass(slots=True)
class LifecycleEvent:
    """A lifecycle event; ``hook``, the validation function, must report to ``execution_id`` by ``deadline``."""

    name: str
    hook: str | None = None
    status: str = "Pending"
    started_at: float | None = None
    ended_at: float | None = None
    execution_id: str | None = None
    deadline: float | None = None
    invoked: bool = False
    message: str = ""


@dataclass(slots=True)
class LambdaDeployment:
    """A deployment and its progress."""

    id: str
    application: str
    group: str
    config_name: str
    revision: dict[str, Any]
    target: LambdaTarget
    events: list[LifecycleEvent]
    shifts: list[TrafficShift]
    created_at: float
    creator: str = "user"
    description: str | None = None
    alarms: dict[str, Any] = field(default_factory=dict)
    auto_rollback: dict[str, Any] = field(default_factory=dict)
    override_alarms: dict[str, Any] | None = None
    previous_revision: dict[str, Any] | None = None
    group_id: str = ""
    status: str = "Created"
    error: tuple[str, str] | None = None
    rollback_info: dict[str, str] = field(default_factory=dict)
    started_at: float | None = None
    completed_at: float | None = None
    updated_at: float = 0.0
    #: The number of completed ``shifts``.
    shifted: int = 0

    @property
    def active(self) -> bool:
        return self.status not in FINISHED

    @property
    def is_rollback(self) -> bool:
        return self.creator == "codeDeployRollback"

    @property
    def weight(self) -> float:
        """The target's share of traffic after the last shift."""
        return self.shifts[self.shifted - 1].weight if self.shifted else 0.0

    def event(self, name: str) -> LifecycleEvent:
        return next(event for event in self.events if event.name == name)

    def current_event(self) -> LifecycleEvent | None:
        """The first lifecycle event that has not succeeded; None if all have."""
        return next((event for event in self.events if event.status != "Succeeded"), None)


@dataclass(slots=True)
class CodeDeployRegion:
    """One region's applications by name, groups by (application, name), configurations and deployments."""

    applications: dict[str, Application] = field(default_factory=dict)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    configs: dict[str, DeploymentConfig] = field(default_factory=dict)
    deployments: dict[str, LambdaDeployment] = field(default_factory=dict)

    def of_group(self, application: str, group: str) -> list[LambdaDeployment]:
        """The group's deployments, oldest first."""
        return [
            deployment
            for deployment in self.deployments.values()
            if (deployment.application, deployment.group) == (application, group)
        ]

    def active_in(self, application: str, group: str) -> LambdaDeployment | None:
        return next((entry for entry in self.of_group(application, group) if entry.active), None)
