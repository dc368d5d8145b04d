"""The stock CDK CLI against the cloud, bootstrapped: deploy, diff, no-op, update, failure, destroy."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

# One process for all: the cloud that they share is bootstrapped once.
pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("stranger")]

Cdk = Callable[..., subprocess.CompletedProcess[str]]


def test_the_whole_life_of_a_stranger_s_app(cdk_of: Callable[[str], Cdk], client: Callable[[str], Any]) -> None:
    cdk = cdk_of("app.py")
    cloudformation = client("cloudformation")

    def stack() -> dict[str, Any]:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName="stranger")["Stacks"][0]
        return found

    def visibility_timeout() -> str:
        url = {output["OutputKey"]: output["OutputValue"] for output in stack()["Outputs"]}["QueueUrl"]
        attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        timeout: str = attributes["Attributes"]["VisibilityTimeout"]
        return timeout

    cdk("synth", "--quiet", "--output", "first")
    cdk("deploy", "--require-approval", "never", "--app", "first")
    assert stack()["StackStatus"] == "CREATE_COMPLETE"
    assert visibility_timeout() == "30"

    assert "no differences" in cdk("diff", "--app", "first").stdout
    assert "(no changes)" in cdk("deploy", "--require-approval", "never", "--app", "first").stdout

    cdk("synth", "--quiet", "--output", "second", "-c", "revision=2")
    assert "VisibilityTimeout" in cdk("diff", "--app", "second").stdout
    cdk("deploy", "--require-approval", "never", "--app", "second")
    assert stack()["StackStatus"] == "UPDATE_COMPLETE"
    assert visibility_timeout() == "60"

    cdk("synth", "--quiet", "--output", "third", "-c", "revision=3", "-c", "broken=1")
    failed = cdk("deploy", "--require-approval", "never", "--app", "third", ok=False)
    assert "NoSuchPolicy" in failed.stdout + failed.stderr
    assert stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert visibility_timeout() == "60"
    assert "no differences" in cdk("diff", "--app", "second").stdout

    refused = cdk("destroy", "--force", "--app", "second", ok=False)
    assert "cannot be deleted while TerminationProtection is enabled" in refused.stdout + refused.stderr
    cloudformation.update_termination_protection(StackName="stranger", EnableTerminationProtection=False)
    cdk("destroy", "--force", "--app", "second")
    assert "stranger" not in [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]
