"""What is still kept about a release: its deployment, what the judge and the checks logged, and their settings."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import botocore.exceptions

from serinus.cli.release_reader import AliasDeployment, JudgeVerdict, RolloutReader
from serinus.infra.names import hook_function_name, log_group_name, task_function_name
from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.contract.release import Inconclusive, Strategy
from serinus.lambda_handlers.hooks.errors import HookError
from serinus.lambda_handlers.hooks.settings import Settings, read_settings

#: Functions that log about a release, by what people call them.
BEFORE, JUDGE, AFTER = "pre-traffic check", "judge", "post-traffic check"


@dataclass(frozen=True, slots=True)
class JudgeLook:
    """One verdict as it was logged, at ``at`` (epoch seconds)."""

    at: float
    verdict: str
    reason: str
    evidence: float
    decides_at: float
    canary_requests: int
    probe: str
    is_final: bool
    settings: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a function reported to CodeDeploy, or that it crashed."""

    by: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseEvidence:
    """``looks`` oldest first. ``settings`` are the judge's, None if neither its log nor its function has them;
    they are ``settings_are_current`` if only the function has, which a later deploy may have changed. ``now`` is
    the cloud's time."""

    release: AliasDeployment
    looks: tuple[JudgeLook, ...]
    reports: tuple[CheckReport, ...]
    settings: Settings | None
    settings_are_current: bool
    now: float

    def report_by(self, name: str) -> CheckReport | None:
        """The last report of the function ``name``."""
        return next((report for report in reversed(self.reports) if report.by == name), None)

    @property
    def decisive_look(self) -> JudgeLook | None:
        """The first look that demanded a rollback, or else the last one that was final, or the last one."""
        bad = [look for look in self.looks if look.verdict == "roll back"]
        final = [look for look in self.looks if look.is_final]
        return bad[0] if bad else final[-1] if final else self.looks[-1] if self.looks else None


def read_evidence(reader: RolloutReader, release: AliasDeployment, now: float) -> ReleaseEvidence:
    """Everything about ``release`` that CodeDeploy and CloudWatch Logs still have."""
    groups = {
        BEFORE: hook_function_name(reader.stack, "before"),
        JUDGE: task_function_name(reader.stack, "judge"),
        AFTER: hook_function_name(reader.stack, "after"),
    }
    looks: list[JudgeLook] = []
    reports: list[CheckReport] = []
    for name, function in groups.items():
        for line in reader.journal(log_group_name(function), release.created_at):
            if line.get("deployment") != release.id:
                continue
            if line["message"] == "verdict":
                looks.append(_look(line))
            elif (report := _report(name, line)) is not None:
                reports.append(report)
    looks.sort(key=lambda look: look.at)
    logged = next((look.settings for look in reversed(looks) if look.settings is not None), None)
    settings = _settings_of(logged) if logged is not None else None
    current = settings is None
    if settings is None:
        settings = _current_settings(reader, groups[JUDGE])
    return ReleaseEvidence(release, tuple(looks), tuple(reports), settings, current, now)


def _look(line: Mapping[str, Any]) -> JudgeLook:
    return JudgeLook(
        at=JudgeVerdict.read(line).at,
        verdict=line["verdict"],
        reason=line["reason"],
        evidence=line["evidence"],
        decides_at=line["decides_at"],
        canary_requests=line["canary_requests"],
        probe=line["probe"],
        is_final=line["final"],
        settings=line.get("settings"),
    )


def _report(name: str, line: Mapping[str, Any]) -> CheckReport | None:
    outcomes = {"hook succeeded": True, "hook failed": False}
    if line["message"] not in outcomes:
        return None
    return CheckReport(name, outcomes[line["message"]], str(line["reason"]))


def _settings_of(logged: Mapping[str, Any]) -> Settings | None:
    """None for those of another release of Serinus, with other fields."""
    if set(logged) != {field.name for field in fields(Settings)}:
        return None
    kinds = {"strategy": Strategy(logged["strategy"]), "inconclusive": Inconclusive(logged["inconclusive"])}
    return Settings(**{**logged, **kinds})


def _current_settings(reader: RolloutReader, judge: str) -> Settings | None:
    """Those of the judge's function; None if there is none, or they cannot be read."""
    try:
        described = reader.functions.get_function_configuration(FunctionName=judge)
        return read_settings(described.get("Environment", {}).get("Variables", {}))
    except (botocore.exceptions.ClientError, HookError):
        return None


def read_bins(cloudwatch: Any, function: str, version: str) -> str | None:
    """The bins in which ``version`` counted its predictions; None if CloudWatch lists none, or several."""
    dimensions = [
        {"Name": signals.DIMENSION_FUNCTION, "Value": function},
        {"Name": signals.DIMENSION_VERSION, "Value": version},
    ]
    listed = cloudwatch.list_metrics(
        Namespace=signals.METRIC_NAMESPACE, MetricName=signals.METRIC_PREDICTION, Dimensions=dimensions
    )["Metrics"]
    bins = {
        dimension["Value"]
        for metric in listed
        for dimension in metric["Dimensions"]
        if dimension["Name"] == signals.DIMENSION_BINS
    }
    return bins.pop() if len(bins) == 1 else None
