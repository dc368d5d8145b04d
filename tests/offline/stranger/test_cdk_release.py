"""A stranger's release by the stock CDK CLI: it shifts, and one that fails is rolled back by its alarm."""

import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from serinus.offline.cloud.cloud import Cloud

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("stranger")]

Cdk = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def asked(url: str) -> Iterator[Counter[str]]:
    """Requests one after the other while the block runs; the counter tells statuses and bodies apart."""
    answers: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        with httpx.Client(trust_env=False, timeout=30) as http:
            while not stop.wait(0.01):
                answer = http.get(url)
                answers[answer.text if answer.status_code == 200 else str(answer.status_code)] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


def test_a_release_shifts_and_a_failing_one_is_rolled_back(
    cdk_of: Callable[[str], Cdk], client: Callable[[str], Any], own_cloud: Cloud
) -> None:
    cdk, cloudformation = cdk_of("release_app.py"), client("cloudformation")

    def deploy(revision: int, *context: str, ok: bool = True) -> None:
        place = f"out{revision}"
        cdk("synth", "--quiet", "--output", place, "-c", f"revision={revision}", *context)
        cdk("deploy", "--require-approval", "never", "--app", place, ok=ok)

    def status() -> str:
        found: str = cloudformation.describe_stacks(StackName="released")["Stacks"][0]["StackStatus"]
        return found

    def deployments() -> list[str]:
        codedeploy = client("codedeploy")
        listed = codedeploy.list_deployments()["deployments"]
        return sorted(codedeploy.get_deployment(deploymentId=one)["deploymentInfo"]["status"] for one in listed)

    deploy(1)
    assert status() == "CREATE_COMPLETE"
    resources = cloudformation.describe_stack_resources(StackName="released")["StackResources"]
    (api,) = [
        each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::ApiGateway::RestApi"
    ]
    url = f"{own_cloud.config.endpoint_url}/_gateway/{api}/prod/"
    assert httpx.get(url, trust_env=False, timeout=30).text == "1"
    assert deployments() == []

    with asked(url) as answers:
        deploy(2)
    assert status() == "UPDATE_COMPLETE"
    assert set(answers) == {"1", "2"}, "nobody noticed the release"
    assert httpx.get(url, trust_env=False, timeout=30).text == "2"
    assert deployments() == ["Succeeded"]

    with asked(url) as answers:
        deploy(3, "-c", "failing=1", ok=False)
    assert status() == "UPDATE_ROLLBACK_COMPLETE"
    assert set(answers) == {"2", "502"}
    assert answers["502"] < answers["2"], "the canary got more than its share"
    assert deployments() == ["Stopped", "Succeeded", "Succeeded"], "one was stopped, and undone by another"
    with asked(url) as answers:
        assert httpx.get(url, trust_env=False, timeout=30).text == "2"
    assert "502" not in answers

    cdk("destroy", "--force", "--app", "out2")
    assert "released" not in [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]
