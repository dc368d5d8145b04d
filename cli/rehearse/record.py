"""What a rehearsal recorded: the answers that clients got, and what the cloud's APIs said meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from serinus.cli.rehearse.observer import Happening, Shares
from serinus.cli.rehearse.traffic import Answered
from serinus.cli.release_reader import Alarm, Deployment, JudgeVerdict, Phase

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Play:
    """What was rehearsed, and how: ``injected`` as it was ordered, ``speed`` in cloud seconds a second, ``rate``
    in requests a (real) second, ``metric_delay_s`` in cloud seconds."""

    endpoint: str
    environment: str
    function: str
    stable_model: str
    candidate_model: str
    candidate_given: bool
    strategy: str
    injected: str | None
    speed: float
    rate: float
    seed: int | None
    metric_delay_s: float


@dataclass(frozen=True, slots=True)
class Metered:
    """Invocations through the alias that Lambda counted for one version while the alias had weights, and how many
    of them failed unhandled."""

    invocations: int
    errors: int


@dataclass(frozen=True, slots=True)
class Record:
    """All that was recorded. Times are cloud time in epoch seconds: the release was ordered at ``released_at``,
    the stack was at rest again at ``deployed_at``. ``held_back`` requests were not sent, and time was slowed for
    ``slowed_s`` real seconds, because this machine was busy; cloud time lost ``held_s`` real seconds to functions
    that it waited for. ``laps_s`` are real seconds that parts of the rehearsal took."""

    play: Play
    stable: str
    final: str
    released_at: float
    deployed_at: float
    deploy_log: str
    answers: Sequence[Answered]
    held_back: int
    slowed_s: float
    held_s: float
    shares: Sequence[Shares]
    happenings: Sequence[Happening]
    deployments: Sequence[Deployment]
    alarms: Sequence[Alarm]
    verdicts: Sequence[JudgeVerdict]
    metered: dict[str, Metered]
    laps_s: Mapping[str, float]

    @property
    def shift_real_s(self) -> float | None:
        """Real seconds for which the alias was seen to have weights."""
        seen = [one.real_s for one in self.shares if one.alias.canary]
        return seen[-1] - seen[0] if seen else None

    @property
    def release(self) -> Deployment | None:
        """CodeDeploy's deployment of the candidate; None where it had no part."""
        return next((one for one in self.deployments if one.undoes is None), None)

    @property
    def undoing(self) -> Deployment | None:
        """The deployment that put the alias back, if one did."""
        return next((one for one in self.deployments if one.undoes is not None), None)

    @property
    def canary(self) -> str | None:
        """The candidate's function version; None where none was published."""
        if self.release is not None:
            return self.release.canary
        return None if self.final == self.stable else self.final

    @property
    def all_moved_at(self) -> float | None:
        """When all traffic had moved to the candidate; None where it was stopped before."""
        phase = _shifting(self.release)
        return phase.ended_at if phase is not None and phase.status == "Succeeded" else None

    @property
    def shift(self) -> tuple[float, float] | None:
        """When the alias began to send traffic to the candidate, and when it was one version again."""
        release = self.release
        phase = _shifting(release)
        if release is None or phase is None or phase.started_at is None:
            return None
        if release.status == "Succeeded":
            return phase.started_at, phase.ended_at or phase.started_at
        back = self.undoing.completed_at if self.undoing else release.completed_at
        return phase.started_at, back or self.deployed_at


def _shifting(release: Deployment | None) -> Phase | None:
    return None if release is None else next((one for one in release.phases if one.name == "AllowTraffic"), None)


def meter(cloudwatch: Any, play: Play, versions: Sequence[str], since: float, until: float) -> dict[str, Metered]:
    """What Lambda's own metrics counted for ``versions`` behind the alias from ``since`` to ``until``."""
    queries = [
        {
            "Id": f"{name.lower()}{version}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": name,
                    "Dimensions": [
                        {"Name": "FunctionName", "Value": play.function},
                        {"Name": "Resource", "Value": f"{play.function}:live"},
                        {"Name": "ExecutedVersion", "Value": version},
                    ],
                },
                "Period": MINUTE_S,
                "Stat": "Sum",
            },
        }
        for version in versions
        for name in ("Invocations", "Errors")
    ]
    start = datetime.fromtimestamp(since // MINUTE_S * MINUTE_S, UTC)
    end = datetime.fromtimestamp(until, UTC) + timedelta(seconds=MINUTE_S)
    found = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end)
    sums = {result["Id"]: round(sum(result["Values"])) for result in found["MetricDataResults"]}
    return {
        version: Metered(sums.get(f"invocations{version}", 0), sums.get(f"errors{version}", 0))
        for version in versions
    }
