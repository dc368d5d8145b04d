"""How CodeDeploy treats hooks, alarms and rollbacks: deployments of the alias that an alarm stops.

The alarm is the release's own: a verdict is sent as the judge sends it. Three deployments begin at different
seconds of a minute, because alarms and the polls that see them may both keep step with the minute.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serinus.cli.account_check.metric_delays import Series, send_value
from serinus.cli.account_check.observation import clock_text
from serinus.cli.account_check.releases import deployments_under_way
from serinus.cli.account_check.session import CheckSession
from serinus.cli.errors import CliError
from serinus.infra.names import ALIAS, DEPLOYMENT_GROUP, hook_function_name, log_group_name
from serinus.lambda_handlers.contract.release import METRIC_VERDICT, VERDICT_VALUES, Verdict

#: Longer than an alarm can take to stop it.
CONFIG = "CodeDeployDefault.LambdaCanary10Percent30Minutes"
SHARE = 0.1
DEPLOYMENTS = 3
_SEND_EVERY_S = 15.0
_STOP_TIMEOUT_S, _ROLLBACK_TIMEOUT_S, _CALM_TIMEOUT_S = 25 * 60.0, 15 * 60.0, 20 * 60.0
#: Cloud seconds within which a stop counts as made when the alarm fired, not at a poll.
_AT_ONCE_S = 3.0
_SHIFTED = ("InProgress", "Succeeded", "Failed", "Skipped")
_ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class StoppedDeployment:
    """What one deployment showed; times in epoch seconds."""

    id: str
    verdict_sent_at: float
    alarm_at: float
    stopped_at: float
    rollback: Mapping[str, Any] | None
    alarm_during_rollback: bool


def observe_deployments(session: CheckSession, stable: str, other: str) -> None:
    """Observe target-version-weight, alarm-polling, alarms-in-rollback, hooks-in-rollback and, with looks at
    releases, function-info-in-hooks. The alias names ``stable``, alone, before and after."""
    stops = []
    for number in range(DEPLOYMENTS):
        _wait_for_calm(session)
        _wait_for_second(session, 60.0 * number / DEPLOYMENTS)
        stops.append(_stop_one(session, stable, other))
        _restore_alias(session, stable)
    _observe_polling(session, stops)
    _observe_alarms(session, stops)
    _wait_for_calm(session)
    _observe_hooks(session, stable, other)
    _restore_alias(session, stable)
    observe_function_info(session)


def _wait_for_calm(session: CheckSession) -> None:
    """Wait until no alarm of the group fires any more, or it would stop the next deployment at once."""
    session.waiting.required(
        lambda: not deployments_under_way(session) and not _firing(session),
        _CALM_TIMEOUT_S,
        every_s=2.0,
        what="the end of an alarm",
    )


def _wait_for_second(session: CheckSession, second: float) -> None:
    session.waiting.pass_time((second - session.now()) % 60.0, every_s=60.0)


def _stop_one(session: CheckSession, stable: str, other: str) -> StoppedDeployment:
    series = _verdict_series(session)
    deployment_id = _start(session, stable, other, "Stopped by an alarm, to observe it")
    _observe_target(session, deployment_id)
    sent: list[float] = []
    alarms: dict[str, float] = {}

    def send_verdict() -> None:
        if not sent or session.now() - sent[-1] >= _SEND_EVERY_S:
            sent.append(send_value(session, series, VERDICT_VALUES[Verdict.ROLL_BACK]))

    def stopped() -> Mapping[str, Any] | None:
        send_verdict()
        alarms.update({name: at for name, at in _firing(session).items() if name not in alarms})
        info = _info(session, deployment_id)
        return info if info["status"] in _ENDED else None

    info = session.waiting.required(stopped, _STOP_TIMEOUT_S, what="a deployment's stop by its alarm")
    if info["status"] == "Succeeded" or not alarms:
        raise CliError(f"deployment {deployment_id} ended as {info['status']} without an alarm")
    stopped_at, alarm_at = info["completeTime"].timestamp(), min(alarms.values())
    rollback, alarming = None, False
    if rollback_id := info.get("rollbackInfo", {}).get("rollbackDeploymentId"):

        def rolled_back() -> Mapping[str, Any] | None:
            send_verdict()
            info = _info(session, rollback_id)
            return info if info["status"] in _ENDED else None

        rollback = session.waiting.required(rolled_back, _ROLLBACK_TIMEOUT_S, what="a deployment's rollback")
        alarming = bool(_firing(session))
    session.show(
        f"deployment {deployment_id}: verdict sent {clock_text(sent[0])}, alarm {clock_text(alarm_at)}, stopped "
        f"{clock_text(stopped_at)}, rollback {rollback['status'] if rollback else 'none'}"
    )
    return StoppedDeployment(deployment_id, sent[0], alarm_at, stopped_at, rollback, alarming)


def _start(session: CheckSession, stable: str, other: str, description: str) -> str:
    session.inventory.creating("deployment", session.stack)
    deployment_id: str = session.client("codedeploy").create_deployment(
        applicationName=session.stack,
        deploymentGroupName=DEPLOYMENT_GROUP,
        deploymentConfigName=CONFIG,
        revision=_revision(session, stable, other),
        description=description,
    )["deploymentId"]
    return deployment_id


def _revision(session: CheckSession, stable: str, other: str) -> dict[str, Any]:
    """An AppSpec as CloudFormation writes it for the alias, with the hook before traffic."""
    properties = {"Name": session.stack, "Alias": ALIAS, "CurrentVersion": stable, "TargetVersion": other}
    document = {
        "version": 0.0,
        "Resources": [{session.stack: {"Type": "AWS::Lambda::Function", "Properties": properties}}],
        "Hooks": [{"BeforeAllowTraffic": hook_function_name(session.stack, "before")}],
    }
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(document)}}


def _observe_target(session: CheckSession, deployment_id: str) -> None:
    """Observe the deployment's target before traffic is shifted and while it is split."""
    shifting = False

    def split() -> float | None:
        nonlocal shifting
        target = _target(session, deployment_id)
        if target is None:
            return None
        info, phases = _look(session, target), _phases(target)
        weight = (info or {}).get("targetVersionWeight")
        shifting = phases.get("AllowTraffic") == "InProgress"
        ended = _info(session, deployment_id)["status"] in _ENDED
        return float(weight) if shifting and weight else 0.0 if ended else None

    every_s = 1.0 if session.target.cloud is None else 0.2
    weight = session.waiting.required(
        split, 900.0, every_s=every_s, what="a deployment's split", working=lambda: not shifting
    )
    units = {SHARE: "fraction", SHARE * 100: "percentage"}
    session.observe(
        "target-version-weight",
        units.get(round(weight, 6)),
        f"targetVersionWeight of {deployment_id} was {weight:g} while 10 % of requests went to the target version",
    )


def watch_hooks(session: CheckSession) -> Callable[[], bool]:
    """A watcher that looks at deployments before their shift, as at those of a release."""

    def watch() -> bool:
        for deployment_id in deployments_under_way(session):
            if (target := _target(session, deployment_id)) is not None:
                _look(session, target)
        return False

    return watch


def _look(session: CheckSession, target: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The target's versions; whether it has them counts if traffic has not begun to shift."""
    info: Mapping[str, Any] | None = target.get("lambdaFunctionInfo")
    if _phases(target).get("AllowTraffic") not in _SHIFTED:
        session.looks_before_shift.append(info is not None)
    return info


def observe_function_info(session: CheckSession) -> None:
    """Observe function-info-in-hooks from all looks so far."""
    looks = session.looks_before_shift
    if not looks:
        session.observe("function-info-in-hooks", None, "no look fell into the time before a shift")
        return
    session.observe(
        "function-info-in-hooks",
        "present" if all(looks) else "absent",
        f"{sum(looks)} of {len(looks)} looks at deployments before their shift had lambdaFunctionInfo",
    )


def _target(session: CheckSession, deployment_id: str) -> dict[str, Any] | None:
    codedeploy = session.client("codedeploy")
    ids = codedeploy.list_deployment_targets(deploymentId=deployment_id)["targetIds"]
    if not ids:
        return None
    targets = codedeploy.batch_get_deployment_targets(deploymentId=deployment_id, targetIds=ids)
    target: dict[str, Any] = targets["deploymentTargets"][0]["lambdaTarget"]
    return target


def _phases(target: Mapping[str, Any]) -> dict[str, str]:
    return {event["lifecycleEventName"]: event["status"] for event in target.get("lifecycleEvents", [])}


def _info(session: CheckSession, deployment_id: str) -> dict[str, Any]:
    info: dict[str, Any] = session.client("codedeploy").get_deployment(deploymentId=deployment_id)[
        "deploymentInfo"
    ]
    return info


def _alarms(session: CheckSession) -> list[dict[str, Any]]:
    group = session.client("codedeploy").get_deployment_group(
        applicationName=session.stack, deploymentGroupName=DEPLOYMENT_GROUP
    )["deploymentGroupInfo"]
    names = [alarm["name"] for alarm in group.get("alarmConfiguration", {}).get("alarms", [])]
    alarms: list[dict[str, Any]] = session.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    return alarms


def _firing(session: CheckSession) -> dict[str, float]:
    """When each firing alarm of the group began to fire, by name."""
    return {
        alarm["AlarmName"]: alarm["StateUpdatedTimestamp"].timestamp()
        for alarm in _alarms(session)
        if alarm["StateValue"] == "ALARM"
    }


def _verdict_series(session: CheckSession) -> Series:
    """The metric that the group's verdict alarm watches."""
    for alarm in _alarms(session):
        stats = [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]
        for metric in [*stats, alarm]:
            if metric.get("MetricName") == METRIC_VERDICT and len(metric["Dimensions"]) > 1:
                dimensions = tuple((entry["Name"], entry["Value"]) for entry in metric["Dimensions"])
                return Series(metric["Namespace"], METRIC_VERDICT, dimensions)
    raise CliError(f"the deployment group of {session.stack} has no alarm on {METRIC_VERDICT}")


def _hook_ran(session: CheckSession, rollback: Mapping[str, Any]) -> bool:
    """Whether the hook before traffic was called after the rollback began: its status alone may be Succeeded for a
    hook that is not called."""
    created_ms = int(rollback["createTime"].timestamp() * 1000)
    group = log_group_name(hook_function_name(session.stack, "before"))

    def started() -> bool:
        pages = (
            session.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, startTime=created_ms, filterPattern='"START RequestId"')
        )
        return any(page["events"] for page in pages)

    return session.waiting.until(started, 60.0, every_s=5.0) is not None


def _restore_alias(session: CheckSession, stable: str) -> None:
    """Send all traffic to ``stable`` if a rollback did not."""
    functions = session.client("lambda")
    alias = functions.get_alias(FunctionName=session.stack, Name=ALIAS)
    if alias["FunctionVersion"] != stable or (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
        no_weights: dict[str, float] = {}
        functions.update_alias(
            FunctionName=session.stack,
            Name=ALIAS,
            FunctionVersion=stable,
            RoutingConfig={"AdditionalVersionWeights": no_weights},
        )


def _observe_polling(session: CheckSession, stops: list[StoppedDeployment]) -> None:
    delays_s = [max(0.0, stop.stopped_at - stop.alarm_at) for stop in stops]
    longest = max(delays_s)
    session.observe(
        "alarm-polling",
        "0" if longest <= _AT_ONCE_S else f"{longest:.0f}",
        f"{len(stops)} deployments stopped {', '.join(f'{delay:.0f}' for delay in delays_s)} s after their alarm; "
        "the longest is taken, the interval may be longer",
        *(
            f"{stop.id}: verdict sent {clock_text(stop.verdict_sent_at)}, alarm {clock_text(stop.alarm_at)}, "
            f"stopped {clock_text(stop.stopped_at)}"
            for stop in stops
        ),
    )


def _observe_alarms(session: CheckSession, stops: list[StoppedDeployment]) -> None:
    rollbacks = [stop for stop in stops if stop.rollback is not None]
    stopped = [stop for stop in rollbacks if stop.rollback and stop.rollback["status"] != "Succeeded"]
    passed = [stop for stop in rollbacks if stop not in stopped and stop.alarm_during_rollback]
    if not stopped and not passed:
        session.observe("alarms-in-rollback", None, "no alarm fired while a rollback was under way")
        return
    session.observe(
        "alarms-in-rollback",
        "yes" if stopped else "no",
        f"{len(passed)} of {len(rollbacks)} rollbacks succeeded while the alarm fired, {len(stopped)} did not",
        *(_error(stop.rollback) for stop in stopped if stop.rollback),
    )


def _observe_hooks(session: CheckSession, stable: str, other: str) -> None:
    """Observe hooks-in-rollback on a deployment that is stopped by request: an alarm might stop the rollback
    before its hooks."""
    deployment_id = _start(session, stable, other, "Stopped by request, to observe its rollback")
    _observe_target(session, deployment_id)
    session.client("codedeploy").stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=True)

    def rolled_back() -> Mapping[str, Any] | None:
        rollback_id = _info(session, deployment_id).get("rollbackInfo", {}).get("rollbackDeploymentId")
        info = _info(session, rollback_id) if rollback_id else {"status": ""}
        return info if info["status"] in _ENDED else None

    rollback = session.waiting.until(rolled_back, _ROLLBACK_TIMEOUT_S, what="a deployment's rollback")
    if rollback is None:
        session.observe(
            "hooks-in-rollback", None, f"{deployment_id}, stopped by request, had no rollback that ended"
        )
        return
    ran = _hook_ran(session, rollback)
    session.observe(
        "hooks-in-rollback",
        "yes" if ran else "no",
        f"{rollback['deploymentId']}, the rollback of {deployment_id}, ended as {rollback['status']}; the hook "
        f"before traffic was {'called' if ran else 'not called'} after it began at "
        f"{clock_text(rollback['createTime'].timestamp())}",
    )


def _error(rollback: Mapping[str, Any]) -> str:
    error = rollback.get("errorInformation", {})
    return f"{rollback['deploymentId']}: {error.get('code', '')} {error.get('message', '')}"
