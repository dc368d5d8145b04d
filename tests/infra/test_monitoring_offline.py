"""The monitor with its real parts in the offline cloud: a line that a function prints ends in a report.

The shared stack's own template makes bucket, functions, permission and schedule; both functions run under their
own roles, which must allow exactly what they call.
"""

import fnmatch
import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import numpy
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from serinus.infra.assembly import create_app
from serinus.infra.constructs.monitored_endpoint import MonitoredEndpoint
from serinus.infra.release import LayerZip
from serinus.infra.settings import load_settings
from serinus.infra.stacks.shared_stack import SharedStack
from serinus.lambda_handlers.contract.monitored import Column, Monitored, ProfileLine
from serinus.lambda_handlers.monitoring.store import Store
from serinus.offline.cloud.stepped import SteppedCloud, stepped

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("permissions")]

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- the monitor's permissions: made by tests/infra -->", "<!-- end of the monitor's permissions -->"
REWRITE = "SERINUS_REWRITE_SNAPSHOTS"
ACCOUNT, REGION = "123456789012", "us-east-1"
#: Of no other test: all clouds of a process share one IAM and one set of log groups.
FUNCTION, SHARED = "shop-watched-churn", "shop-watched-shared"
COLLECTOR, MONITOR = f"{SHARED}-collector", f"{SHARED}-monitor"
SETTINGS = (
    f'[project]\nname = "shop"\n[endpoint.churn]\n[env.watched]\naccount = "{ACCOUNT}"\nregion = "{REGION}"\n'
    "[operations]\ntopic = true\n"
)
#: By stream: at most the edge, missing, below, above.
BANDS = ((0.3, 0.7), (0.0, 0.05), (0.0, 0.05), (0.0, 0.05))
MONITORED = Monitored(
    "sample",
    (Column("age", "input", "number", 1, 8000, (4000, 0, 0, 0), BANDS, (3.0,), 0.0, 7.0),),
    {},
)
PRINTER = "def handler(event, context):\n    print(event['line'])\n    print('{\"Profile\": 0}')\n"
#: What these looks do not use, and why it is granted.
OTHERWISE_USED: dict[tuple[str, str], str] = {
    (MONITOR, "events:PutEvents"): "a finding begins or ends",
}


def numpy_layer(folder: Path) -> LayerZip:
    """A layer with the NumPy of this environment, as the runtime layer has one."""
    packages = Path(numpy.__file__).parents[1]
    path = folder / "runtime.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("numpy", "numpy.libs"):
            for file in sorted((packages / name).rglob("*")):
                if file.is_file() and "tests" not in file.parts and "__pycache__" not in file.parts:
                    archive.write(file, f"python/{file.relative_to(packages)}")
    return LayerZip(path, hashlib.sha256(path.read_bytes()).hexdigest())


def publish_assets(cloud: SteppedCloud, assembly: Path, stack: str) -> None:
    """Upload a stack's assets as the CDK CLI does."""
    s3, buckets = cloud.client("s3"), set()
    for asset in json.loads((assembly / f"{stack}.assets.json").read_bytes())["files"].values():
        source = assembly / asset["source"]["path"]
        if asset["source"]["packaging"] == "zip":
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                for file in sorted(source.rglob("*")):
                    if file.is_file():
                        archive.write(file, file.relative_to(source))
            body = buffer.getvalue()
        else:
            body = source.read_bytes()
        for destination in asset["destinations"].values():
            if destination["bucketName"] not in buckets:
                s3.create_bucket(Bucket=destination["bucketName"])
                buckets.add(destination["bucketName"])
            s3.put_object(Bucket=destination["bucketName"], Key=destination["objectKey"], Body=body)


def deploy(cloud: SteppedCloud, assembly: Path, stack: str) -> dict[str, str]:
    """Create a stack of an assembly; returns its outputs."""
    publish_assets(cloud, assembly, stack)
    stacks = cloud.client("cloudformation")
    document = json.loads((assembly / f"{stack}.template.json").read_bytes())
    # What the CDK CLI's bootstrap would have made.
    document.pop("Rules", None)
    document.pop("Parameters", None)
    stacks.create_stack(StackName=stack, TemplateBody=json.dumps(document), Capabilities=["CAPABILITY_IAM"])
    deadline = time.monotonic() + 120
    while (described := stacks.describe_stacks(StackName=stack)["Stacks"][0])["StackStatus"].endswith("PROGRESS"):
        assert time.monotonic() < deadline, described
        time.sleep(0.1)
    events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
    assert described["StackStatus"] == "CREATE_COMPLETE", [
        one["ResourceStatusReason"] for one in events if one.get("ResourceStatusReason")
    ]
    return {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])}


def endpoint_stack(app: cdk.App) -> cdk.Stack:
    """A function that prints what it is asked to, and what an endpoint has for the monitor."""
    stack = cdk.Stack(app, FUNCTION, env=cdk.Environment(account=ACCOUNT, region=REGION))
    group = logs.LogGroup(stack, "Logs", log_group_name=f"/aws/lambda/{FUNCTION}")
    lambda_.Function(
        stack,
        "Function",
        function_name=FUNCTION,
        code=lambda_.Code.from_inline(PRINTER),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        log_group=group,
    )
    MonitoredEndpoint(
        stack, "Monitored", stack_name=FUNCTION, log_group=group, collector=COLLECTOR, topic_arn=None
    )
    return stack


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SteppedCloud, dict[str, str]]]:
    """Both stacks; the shared stack's outputs."""
    folder = tmp_path_factory.mktemp("monitoring")
    (folder / "serinus.toml").write_text(SETTINGS, encoding="utf-8")
    settings = load_settings(folder / "serinus.toml", "watched")
    app = create_app(folder / "out")
    SharedStack(app, name=SHARED, settings=settings, runtime_zip=numpy_layer(folder))
    endpoint_stack(app)
    assembly = Path(app.synth().directory)
    with stepped() as cloud:
        outputs = deploy(cloud, assembly, SHARED)
        deploy(cloud, assembly, FUNCTION)
        yield cloud, outputs
        for stack in (FUNCTION, SHARED):
            cloud.client("cloudformation").delete_stack(StackName=stack)
            waiter = cloud.client("cloudformation").get_waiter("stack_delete_complete")
            waiter.wait(StackName=stack, WaiterConfig={"Delay": 1})


def until(probe: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


def profile_line(hour: int) -> str:
    """Counts of the middle of an hour since 1970."""
    since = hour * 3600 + 1800
    line = ProfileLine(
        FUNCTION, "1", "3f2a9c8103b2", MONITORED.id, "k3j9x0ab", 0, since, since + 60, 500, 0, 512, (256, 0, 0, 0)
    )
    return json.dumps(line.to_json())


def test_a_line_that_a_function_prints_is_collected_looked_at_and_reported(
    deployed: tuple[SteppedCloud, dict[str, str]],
) -> None:
    cloud, outputs = deployed
    # Just before the rule's minute, so that the monitor looks once before there is anything to add up.
    cloud.advance((598 - cloud.time()) % 3600)
    s3, functions = cloud.client("s3"), cloud.client("lambda")
    store = Store(s3, outputs["MonitorBucket"])
    assert (outputs["CollectorFunction"], outputs["MonitorFunction"]) == (COLLECTOR, MONITOR)

    reference = {"reference": MONITORED.to_json(), "function": FUNCTION}
    functions.invoke(FunctionName=COLLECTOR, InvocationType="Event", Payload=json.dumps(reference))
    until(lambda: store.get_reference(FUNCTION, MONITORED.id), "keeping the reference")

    hour = int(cloud.time()) // 3600
    text = profile_line(hour)
    functions.invoke(FunctionName=FUNCTION, Payload=json.dumps({"line": text}))
    until(lambda: cloud.advance(2) or list(store.list_lines(FUNCTION, hour)), "collecting the line")
    (collected,) = store.list_lines(FUNCTION, hour)
    assert collected.hour == hour
    assert store.get_lines(collected) == [text]

    # Up to minute 10 of the next hour, when the rule invokes the monitor.
    cloud.advance(3600 - cloud.time() % 3600 + 615)
    key = f"reports/{FUNCTION}/latest.json"
    until(lambda: s3.list_objects_v2(Bucket=outputs["MonitorBucket"], Prefix=key).get("Contents"), "a report")
    until(lambda: store.get_state(FUNCTION), "keeping the state")
    summed = until(lambda: store.get_hour(FUNCTION, hour), "adding up the hour")
    assert "512" in json.dumps(summed)

    metrics = cloud.client("cloudwatch")
    end = datetime.fromtimestamp(cloud.time() + 3600, UTC)
    values = until(
        lambda: metrics.get_metric_statistics(
            Namespace="Serinus",
            MetricName="Findings",
            Dimensions=[{"Name": "FunctionName", "Value": FUNCTION}],
            StartTime=datetime.fromtimestamp((hour - 1) * 3600, UTC),
            EndTime=end,
            Period=3600,
            Statistics=["Maximum"],
        )["Datapoints"],
        "the metric of findings",
    )
    assert {one["Maximum"] for one in values} == {0.0}
    rows = [row for name in (COLLECTOR, MONITOR) for row in permissions_of(cloud, name, outputs["MonitorBucket"])]
    table = "\n".join(["| function | granted | on | used in a look |", "|---|---|---|---|", *rows])
    page = PAGE.read_text(encoding="utf-8")
    made = f"{page.split(BEGIN)[0]}{BEGIN}\n\n{table}\n\n{END}{page.split(END)[1]}"
    if os.environ.get(REWRITE):
        PAGE.write_text(made, encoding="utf-8")
    assert made == PAGE.read_text(encoding="utf-8"), f"rewrite it with {REWRITE}=1 and review the change"


def permissions_of(cloud: SteppedCloud, name: str, bucket: str) -> list[str]:
    """Rows of what a function's role grants; nothing that it calls is denied, and whatever is granted is used."""
    iam = cloud.client("iam")
    role = cloud.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    policies = iam.list_role_policies(RoleName=role.rpartition("/")[2])["PolicyNames"]
    uses = cloud.cloud.authorizer.uses(role)
    assert [use for use in uses if not use["allowed"]] == []
    rows = []
    for policy in policies:
        document = iam.get_role_policy(RoleName=role.rpartition("/")[2], PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    is_used = any(
                        use["action"] == action and fnmatch.fnmatchcase(use["resource"] or "*", resource)
                        for use in uses
                    )
                    use = "yes" if is_used else OTHERWISE_USED[name, action]
                    rows.append(f"| `{name}` | `{action}` | `{resource.replace(bucket, 'BUCKET')}` | {use} |")
    return sorted(rows)


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
