"""Somebody still watches after promotion: two endpoints by the real CDK CLI, one of which begins to crash."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serinus.cli import offline_process
from serinus.cli.target import CloudTarget

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "examples"))

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("main-job")]

SHARED = "shop-local-shared"
SETTINGS = """
[operations]
emails = ["oncall@example.com"]
dashboard = true

[operations.slack]
workspace_id = "T0123456789"
channel_id = "C0123456789"

[endpoint.spare]
model = "tumour"
"""


class Watched:
    """A project of two endpoints of one model, and its offline cloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path}
        self.http = httpx.Client(trust_env=False, timeout=60)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def data(self, *arguments: str) -> Any:
        return json.loads(self.run("serinus", *arguments, "--json").stdout)

    def client(self, service: str) -> Any:
        return CloudTarget(offline_process.require(self.folder)).client(service)

    def own(self, method: str, path: str, **body: Any) -> Any:
        """A call of the cloud's own API; returns its JSON, None without."""
        cloud = offline_process.require(self.folder)
        done = cloud.own_api().request(method, path, json=body or None).raise_for_status()
        return done.json() if done.content else None

    def predict(self, endpoint: dict[str, Any]) -> int:
        rows = json.loads((self.folder / "training" / "rows.json").read_text())
        headers = {"x-api-key": endpoint["key"]}
        return self.http.post(f"{endpoint['url']}/predict", json={"rows": rows}, headers=headers).status_code

    def advance(self, minutes: float) -> None:
        self.own("POST", "/clock", advance=60 * minutes)

    def mails(self) -> list[dict[str, Any]]:
        """The messages that were mailed, in their order."""
        return [json.loads(sent["message"]) for sent in self.own("GET", "/sns/outbox")
                if sent["protocol"] == "email" and sent["message"].startswith("{")]  # fmt: skip

    def changes(self) -> list[tuple[str, str]]:
        """The alarms in the mails, each with its new state."""
        return [(mail["AlarmName"], mail["NewStateValue"]) for mail in self.mails() if "AlarmName" in mail]

    def stacks(self) -> set[str]:
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return {stack["StackName"] for page in pages for stack in page["Stacks"]} - {"CDKToolkit"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Watched]:
    from train import train

    made = Watched(tmp_path / "shop")
    made.folder.mkdir()
    made.run("serinus", "init")
    (made.folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    train(made.folder / "training", trees=20)
    made.data("package", "training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv")
    with (made.folder / "serinus.toml").open("a") as settings:
        settings.write(SETTINGS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made.run("serinus", "local", "up", "--port", str(port), "--speed", "60")
    try:
        yield made
    finally:
        made.http.close()
        made.run("serinus", "local", "down")


def confirm(shop: Watched) -> None:
    """Click the link in the mail that asks for it."""
    (asked,) = [sent["message"] for sent in shop.own("GET", "/sns/outbox")]
    (link,) = re.findall(r"http://\S+", asked)
    assert shop.http.get(link).status_code == 200


def assert_the_dashboard_asks_for_what_came(shop: Watched) -> None:
    watch = shop.client("cloudwatch")
    body = watch.get_dashboard(DashboardName=SHARED)["DashboardBody"]
    for namespace, dimensions, expected in (
        ("Serinus", {"FunctionName", "FunctionVersion"}, {"Latency", "Rows", "ModelTime"}),
        ("AWS/Lambda", {"FunctionName"}, {"Duration", "Invocations"}),
        ("AWS/ApiGateway", {"ApiName", "Stage"}, {"Count", "4XXError", "5XXError"}),
    ):
        came = {
            metric["MetricName"]
            for metric in watch.list_metrics(Namespace=namespace)["Metrics"]
            if {one["Name"] for one in metric["Dimensions"]} == dimensions
        }
        assert expected <= came
        assert all(name in body for name in expected)
    assert {name for name in ("tumour", "spare") if f"# {name}" in body} == {"tumour", "spare"}


def test_a_live_version_that_begins_to_crash_is_reported_and_so_is_its_end(shop: Watched) -> None:
    spare, tumour = shop.data("deploy", "--local")
    confirm(shop)
    shop.own("POST", "/clock", factor=0)
    assert [shop.predict(endpoint) for endpoint in (spare, tumour)] == [200, 200]
    shop.advance(5)
    assert_the_dashboard_asks_for_what_came(shop)
    status = shop.data("status", "--local")
    assert [one["address"] for one in status["shared"]["subscribers"] if one["confirmed"]] == [
        "oncall@example.com"
    ]
    assert {one["state"] for endpoint in status["endpoints"] for one in endpoint["deployed"]["alarms"]} == {"OK"}
    assert shop.changes() == []

    shop.own("PUT", "/faults", function=tumour["function"], crash_rate=1.0)
    # A worker that is killed may have answered just before, on a busy machine.
    assert [shop.predict(tumour) for _ in range(16)].count(502) >= 4
    assert shop.predict(spare) == 200
    shop.advance(5)
    assert shop.changes() == [("shop-local-tumour-failing", "ALARM")]
    shown = shop.run("serinus", "status", "--local").stdout
    assert "1 ALARM" in shown
    assert "5 % of an hour's live requests fail" in shown

    shop.own("DELETE", "/faults")
    assert shop.predict(tumour) == 200
    shop.advance(65)
    assert shop.changes() == [("shop-local-tumour-failing", "ALARM"), ("shop-local-tumour-failing", "OK")]

    first = shop.run("serinus", "destroy", "tumour", "--local")
    assert f"kept {SHARED}, which shop-local-spare may use" in first.stderr
    assert shop.stacks() == {SHARED, "shop-local-spare"}
    assert shop.client("cloudwatch").describe_alarms(AlarmNamePrefix="shop-local-tumour")["MetricAlarms"] == []
    shop.run("serinus", "destroy", "spare", "--local")
    assert shop.stacks() == set()
