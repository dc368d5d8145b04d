"""The record of a rehearsal: the responses that clients got, and what the cloud's APIs reported meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serinus.cli.rehearse.invocations import InvocationCounts, WeightedTime
from serinus.cli.rehearse.observer import AliasSample, ObservedEvent
from serinus.cli.rehearse.traffic import RequestResult
from serinus.cli.release_reader import Alarm, AliasDeployment, DeploymentPhase, JudgeVerdict


@dataclass(frozen=True, slots=True)
class RehearsalSettings:
    """The settings of a rehearsal: ``injected`` is the value of --inject, ``speed`` in cloud seconds per real
    second, None if time was skipped; ``rate`` in requests per real second, or per cloud minute if time was
    skipped; ``metric_delay_s`` in cloud seconds."""

    endpoint: str
    environment: str
    function: str
    stable_model: str
    candidate_model: str
    candidate_named: bool
    strategy: str
    injected: str | None
    speed: float | None
    rate: float
    seed: int | None
    metric_delay_s: float


@dataclass(frozen=True, slots=True)
class RehearsalRecord:
    """All that was recorded. Times are cloud time in epoch seconds: the release started at ``released_at``,
    the stack was at rest again at ``deployed_at``. ``unsent`` requests were not sent, and time was slowed for
    ``slowed_s`` real seconds, because this machine was busy; cloud time lost ``held_s`` real seconds to functions
    that it waited for. ``laps_s`` are real seconds that parts of the rehearsal took."""

    settings: RehearsalSettings
    stable: str
    final: str
    released_at: float
    deployed_at: float
    deploy_log: str
    results: Sequence[RequestResult]
    unsent: int
    slowed_s: float
    held_s: float
    alias_samples: Sequence[AliasSample]
    observed: Sequence[ObservedEvent]
    deployments: Sequence[AliasDeployment]
    alarms: Sequence[Alarm]
    verdicts: Sequence[JudgeVerdict]
    invocations_by_version: dict[str, InvocationCounts]
    laps_s: Mapping[str, float]

    @property
    def shift_real_s(self) -> float | None:
        """Real seconds for which the alias was seen to have weights."""
        seen = [sample.real_s for sample in self.alias_samples if sample.alias.canary]
        return seen[-1] - seen[0] if seen else None

    @property
    def release(self) -> AliasDeployment | None:
        """CodeDeploy's deployment of the candidate; None if it made none."""
        return next((deployment for deployment in self.deployments if not deployment.restores), None)

    @property
    def rollback(self) -> AliasDeployment | None:
        """The deployment that put the alias back, if one did."""
        return next((deployment for deployment in self.deployments if deployment.restores), None)

    @property
    def canary(self) -> str | None:
        """The candidate's function version; None if none was published."""
        if self.release is not None:
            return self.release.canary
        return None if self.final == self.stable else self.final

    @property
    def fully_shifted_at(self) -> float | None:
        """When all traffic had moved to the candidate; None if it was stopped before."""
        phase = _shifting(self.release)
        return phase.ended_at if phase is not None and phase.status == "Succeeded" else None

    @property
    def weighted(self) -> WeightedTime | None:
        """While the alias had weights; None if no traffic was shifted."""
        if self.shift is None:
            return None
        full = self.fully_shifted_at
        after = self.stable if full is None else self.canary or self.final
        return WeightedTime(self.shift[0], self.shift[1] if full is None else full, self.stable, after)

    @property
    def shift(self) -> tuple[float, float] | None:
        """When the alias began to send traffic to the candidate, and when it was one version again."""
        release = self.release
        phase = _shifting(release)
        if release is None or phase is None or phase.started_at is None:
            return None
        if release.status == "Succeeded":
            return phase.started_at, phase.ended_at or phase.started_at
        back = self.rollback.completed_at if self.rollback else release.completed_at
        return phase.started_at, back or self.deployed_at


def _shifting(release: AliasDeployment | None) -> DeploymentPhase | None:
    return (
        None
        if release is None
        else next((phase for phase in release.phases if phase.name == "AllowTraffic"), None)
    )
