"""A runtime layer that lacks NumPy: how long a stack waits for it, at its first deploy and at a later release."""

import argparse
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.releases import order_of, packaged_project, releases_of
from table import Row, main

from serinus.cli.bootstrap import bootstrap
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.environment import RehearsalEnvironment, rehearsal_environment
from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.observer import is_at_rest
from serinus.cli.rehearse.run import CANDIDATE
from serinus.cli.rehearse.workspace import STABLE, CandidateSpec, create_workspace
from serinus.lambda_handlers.contract.build import BUILD_DIR, read_build
from serinus.offline.client.own_api import OwnApi

#: Cloud seconds in a real one while nothing happens, and real seconds after which that is so.
SPEED, QUIET_S = 120, 6.0
PATIENCE_S = 900
NOTE = (
    "Deployed with the CDK CLI into an offline cloud that deletes resources that could not be created, as AWS "
    "does. Cloud minutes from the start of the deploy until the stack is at rest, while the runtime layer of "
    "the newly configured functions lacks NumPy. A stack in ROLLBACK_COMPLETE or UPDATE_ROLLBACK_COMPLETE "
    "accepts the next deploy; any other must be repaired by hand."
)


@dataclass(frozen=True, slots=True)
class Layer:
    """The runtime layer as the cloud runs it, whole or without NumPy."""

    api: OwnApi
    sha256: str
    whole: Path
    broken: Path

    def put(self, path: Path) -> None:
        self.api.put(f"/layer-twins/{self.sha256}", {"path": str(path)}).raise_for_status()


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A row for the first deploy and one for a later release."""
    with tempfile.TemporaryDirectory() as folder:
        order = order_of(packaged_project(Path(folder)))
        rows = []
        if "first" in chosen.deploys:
            copying = create_workspace(
                order.project,
                order.environment,
                order.endpoint,
                candidates={CANDIDATE: CandidateSpec()},
                rate=order.rate,
            )
            with (
                LiveView(),
                copying as workspace,
                rehearsal_environment(
                    order.project, workspace, seed=0, metric_delay_s=order.metric_delay_s
                ) as environment,
            ):
                bootstrap(workspace.folder, environment.target, workspace.folder / "bootstrap.log")
                environment.wait_for_assembly(STABLE)
                layer = layer_of(environment)
                layer.put(layer.broken)
                rows.append(deploy(environment, STABLE, layer, "first"))
        if "later" in chosen.deploys:
            with releases_of(order) as releases:
                layer = layer_of(releases.environment)
                layer.put(layer.broken)
                rows.append(deploy(releases.environment, CANDIDATE, layer, "later"))
    return rows


def layer_of(environment: RehearsalEnvironment) -> Layer:
    """The layer that both releases run on, and a copy of it without NumPy."""
    folder = environment.workspace.folder / BUILD_DIR
    (built,) = read_build(folder).runtime.values()
    whole = folder / (built.twin or built.path)
    broken = environment.workspace.folder / "broken.zip"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as target:
        for entry in source.infolist():
            if not entry.filename.startswith("python/numpy"):
                target.writestr(entry, source.read(entry))
    return Layer(environment.cloud.own_api(), built.sha256, whole, broken)


def deploy(environment: RehearsalEnvironment, name: str, layer: Layer, which: str) -> Row:
    """Deploy release ``name`` until its stack is at rest. Once it is rolled back to a version before, functions
    run on that one's layer again, which is whole."""
    clock, began = CloudTime(environment.cloud.own_api()), None
    with environment.deploying(name):
        for events in watch(environment, clock):
            stack = [one for one in events if one["ResourceType"] == "AWS::CloudFormation::Stack"]
            began = began or stack[0]["Timestamp"]
            if stack[-1]["ResourceStatus"].startswith("UPDATE_ROLLBACK"):
                layer.put(layer.whole)
    for event in events:
        sys.stderr.write(
            f"{(event['Timestamp'] - began).total_seconds() / 60:8.1f}  {event['ResourceStatus']:24} "
            f"{event['LogicalResourceId']}  {event.get('ResourceStatusReason', '')[:150]}\n"
        )
    reasons = [one.get("ResourceStatusReason", "") for one in events if "FAILED" in one["ResourceStatus"]]
    return {
        "deploy": which,
        "minutes": (events[-1]["Timestamp"] - began).total_seconds() / 60,
        "status": events[-1]["ResourceStatus"],
        "why": next((reason for reason in reasons if reason and "cancelled" not in reason), "")[:160],
    }


def watch(environment: RehearsalEnvironment, clock: CloudTime) -> Iterator[list[dict[str, Any]]]:
    """The events of this deploy so far, oldest first, until the stack is at rest; time flies while none comes."""
    cloudformation, name = environment.target.client("cloudformation"), environment.workspace.endpoint.stack_name
    since, deadline, known, changed_at = clock.now(), time.monotonic() + PATIENCE_S, -1, time.monotonic()
    with at_own_speed(clock):
        while time.monotonic() < deadline:
            time.sleep(0.3)
            try:
                pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
                found = [event for page in pages for event in page["StackEvents"]]
            except cloudformation.exceptions.ClientError:
                continue  # not made yet
            events = [one for one in reversed(found) if one["Timestamp"].timestamp() >= since]
            if len(events) != known:
                known, changed_at = len(events), time.monotonic()
                clock.set_speed(1)
            elif events and time.monotonic() - changed_at > QUIET_S:
                clock.set_speed(SPEED)
            if not events:
                continue
            yield events
            last = events[-1]
            if last["ResourceType"] == "AWS::CloudFormation::Stack" and is_at_rest(last["ResourceStatus"]):
                return
    raise TimeoutError(f"{name} is not at rest after {PATIENCE_S} s")


@contextmanager
def at_own_speed(clock: CloudTime) -> Iterator[None]:
    """Real time again afterwards."""
    try:
        yield
    finally:
        clock.set_speed(1)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deploys", nargs="+", default=["first", "later"], help="which, of first and later")


if __name__ == "__main__":
    main("broken_layer", measure, note=NOTE, arguments=_arguments)
