"""Checks offline clouds by `serinus doctor --aws-account`: what was observed beside what was played."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from serinus.cli import offline_process
from serinus.cli.account_check.report import UNOBSERVED, CheckReport
from serinus.cli.account_check.run import CheckOptions, check_account, identify
from serinus.cli.account_check.session import PREFIX
from serinus.cli.offline_process import CloudIdentity, RunningCloud, SimulationOptions
from serinus.cli.rehearse.environment import free_port
from serinus.cli.target import CloudTarget
from serinus.offline.core.readings import Readings, Seconds

CHECKOUT = Path(__file__).resolve().parents[2]
#: Seconds and share by which an observed duration may differ: what a look costs on a busy machine, and how far
#: looks are apart.
TOLERANCE_S, TOLERANCE_SHARE = 5.0, 0.05
#: The init of a model differs by this much on a busy machine.
INIT_TOLERANCE_S = 1.0
#: Delays that are at least as long as others: a new metric is as late as any, and not listed before it is seen.
_AT_LEAST = {
    "new-metric-delay": ("metric-delay",),
    "list-metrics-delay": ("metric-delay", "new-metric-delay"),
}
#: Of an interval between polls: three deployments begin at different thirds of a minute.
POLL_SHARE = 0.6


def project_in(folder: Path) -> Path:
    """A project in ``folder``, with this checkout's CDK CLI."""
    if not (folder / "serinus.toml").exists():
        command = [sys.executable, "-m", "serinus", "init", str(folder), "--name", "shop"]
        subprocess.run(command, check=True, capture_output=True)
        (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    return folder


@contextmanager
def cloud_of(project: Path, readings: Mapping[str, str]) -> Iterator[RunningCloud]:
    """An offline cloud of ``project`` that plays ``readings``."""
    cloud = offline_process.start(
        project,
        port=free_port(),
        identity=CloudIdentity(),
        speed=1,
        simulation=SimulationOptions(seed=1, readings=readings),
    )
    try:
        yield cloud
    finally:
        offline_process.stop(project, cloud, 2.0)


def check_cloud(
    project: Path,
    cloud: RunningCloud,
    *,
    releases: bool = True,
    on_step: Callable[[str], None] = lambda _step: None,
    show: Callable[[str], None] = lambda _line: None,
) -> CheckReport:
    """Check ``cloud`` as `serinus doctor --aws-account --local` does."""
    target = CloudTarget(cloud)
    options = CheckOptions(project, target, identify(target), show, releases=releases, on_step=on_step)
    return check_account(options)


def played(readings: Mapping[str, str]) -> dict[str, str]:
    """The values of all readings that a check can observe, in a cloud with ``readings``."""
    values = Readings().replaced({"metric-delay": "0", **readings}).as_json()
    return {name: value for name, value in values.items() if name not in UNOBSERVED}


def agrees(name: str, every: Mapping[str, str], observed: str | None) -> bool:
    """Whether ``observed`` is what a cloud that plays ``every`` reading shows of reading ``name``."""
    expected = Readings.parse(name, every[name])
    if observed is None or not isinstance(expected, Seconds):
        return observed == every[name]
    shown = Seconds.parse(observed)
    if name == "alarm-polling":
        return POLL_SHARE * expected.high - TOLERANCE_S <= shown.high <= expected.high + TOLERANCE_S
    if name == "first-init-delay":
        return expected.low - INIT_TOLERANCE_S <= shown.low and shown.high <= expected.high + INIT_TOLERANCE_S
    low, high = expected.low, expected.high
    for other in _AT_LEAST.get(name, ()):
        than = Seconds.parse(every[other])
        low, high = max(low, than.low), max(high, than.high)
    room = TOLERANCE_S + TOLERANCE_SHARE * high
    return low - room <= shown.low and shown.high <= high + room


def left_in(cloud: RunningCloud) -> list[str]:
    """Everything in the account that a check may have made, read independently of its own removal."""
    target = CloudTarget(cloud)
    functions, logs, iam = target.client("lambda"), target.client("logs"), target.client("iam")
    stacks = target.client("cloudformation").describe_stacks()["Stacks"]
    found = [f"stack {stack['StackName']}" for stack in stacks if stack["StackName"] != "CDKToolkit"]
    found += [f"function {entry['FunctionName']}" for entry in functions.list_functions()["Functions"]]
    found += [f"layer {entry['LayerName']}" for entry in functions.list_layers()["Layers"]]
    found += [f"log group {entry['logGroupName']}" for entry in logs.describe_log_groups()["logGroups"]]
    found += [f"role {e['RoleName']}" for e in iam.list_roles()["Roles"] if e["RoleName"].startswith(PREFIX)]
    parameters = target.client("ssm").describe_parameters()["Parameters"]
    found += [f"parameter {e['Name']}" for e in parameters if not e["Name"].startswith("/cdk-bootstrap/")]
    acls = target.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    found += [f"web acl {entry['Name']}" for entry in acls]
    found += [f"API {entry['name']}" for entry in target.client("apigateway").get_rest_apis()["items"]]
    alarms = target.client("cloudwatch").describe_alarms()["MetricAlarms"]
    found += [f"alarm {entry['AlarmName']}" for entry in alarms]
    found += [f"application {name}" for name in target.client("codedeploy").list_applications()["applications"]]
    storage = target.client("s3")
    for bucket in storage.list_buckets()["Buckets"]:
        objects = storage.list_object_versions(Bucket=bucket["Name"]).get("Versions", [])
        found += [f"object {entry['Key']}" for entry in objects]
    return found
