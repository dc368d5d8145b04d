"""Logs of an API's calls, and logs that outlive their stack."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import aws_cdk as cdk
import httpx
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as aws_logs
from aws_cdk.assertions import Template
from cfnlint.api import lint as cfn_lint

from serinus.infra.constructs.access_log import HTTP_FORMAT, REST_FORMAT, AccessLog
from serinus.infra.constructs.front import Access
from serinus.infra.constructs.http_api import HttpFront
from serinus.infra.constructs.rest_api import RestFront
from serinus.infra.constructs.retained_logs import retain_log_groups
from serinus.infra.settings import Auth, JwtSettings
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

Templates = Callable[..., dict[str, Any]]
Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]
GROUP, HTTP = "AWS::Logs::LogGroup", 'front = "http"\nauth = "iam"\n'
SECRET = "x" * 30


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running(CloudConfig(port=0, max_workers=2)) as started:
        yield started


@pytest.mark.slow
@pytest.mark.parametrize("front", ["", HTTP])
def test_cfn_lint_has_no_error_and_no_warning(template_of: Templates, front: str) -> None:
    found = cfn_lint(json.dumps(template_of(front + "access_logs = true\nretain_logs = true\n")))

    assert [str(match) for match in found] == []


def test_nothing_is_kept_or_logged_of_calls_unless_asked(template_of: Templates, resources_of: Find) -> None:
    template = template_of()

    assert {group["DeletionPolicy"] for group in resources_of(template, GROUP).values()} == {"Delete"}
    assert "AccessLogSetting" not in json.dumps(template)


def test_every_kept_log_has_a_name_of_its_stacks_own(template_of: Templates, resources_of: Find) -> None:
    groups = resources_of(template_of("retain_logs = true\naccess_logs = true\n"), GROUP).values()

    assert len(groups) == 7
    for group in groups:
        assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("Retain", "Retain")
        (_, (name, suffix)) = group["Properties"]["LogGroupName"]["Fn::Join"]
        assert name.startswith(("/aws/lambda/", "/aws/vendedlogs/shop-dev-churn/"))
        assert name.endswith("/")
        assert "AWS::StackId" in json.dumps(suffix)


def test_keeping_logs_publishes_a_version_that_writes_to_them(template_of: Templates, resources_of: Find) -> None:
    plain, kept = (
        set(resources_of(template_of(text), "AWS::Lambda::Version")) for text in ("", "retain_logs = true\n")
    )

    assert plain.isdisjoint(kept)


@pytest.mark.parametrize("line_format", [REST_FORMAT, HTTP_FORMAT])
def test_a_line_holds_no_key_token_query_or_body(line_format: str) -> None:
    variables = set(json.loads(line_format).values())

    assert "$context.identity.apiKey" not in variables
    # Messages repeat a malformed Authorization header.
    spoken = ("authorizer", "header", "query", "message", "integrationError")
    assert not [name for name in variables if any(word in name for word in spoken)]


def kept_stack(front: Any, auth: Auth) -> str:
    """A front with its access log before a function that answers; its logs outlive it."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Kept")
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("def handler(event, context):\n    return {'statusCode': 200}\n"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        log_group=aws_logs.LogGroup(stack, "Logs", log_group_name="/aws/lambda/kept"),
    )
    alias = lambda_.Alias(stack, "Alias", alias_name="live", version=function.current_version)
    access_log = AccessLog(stack, "AccessLog", stack_name="kept", retention_days=30, encryption_key=None)
    stage = {"stage": "live"} if front is RestFront else {}
    access = Access(
        auth=auth,
        docs=False,
        cors_origins=(),
        rate_limit_per_s=100,
        burst_limit=200,
        quota_requests=0,
        quota_period="month",
        jwt=JwtSettings(),
    )
    front(stack, "Front", name="kept", backend=alias, access=access, access_log=access_log, **stage)
    retain_log_groups(stack)
    return json.dumps({"Resources": Template.from_stack(stack).to_json()["Resources"]})


def lines(logs: Any, group: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        events = logs.filter_log_events(logGroupName=group)["events"]
        if events:
            return [json.loads(event["message"]) for event in events]
        time.sleep(0.05)
    raise AssertionError(f"nothing was logged to {group}")


def groups(logs: Any) -> set[str]:
    found = logs.describe_log_groups(logGroupNamePrefix="/aws/vendedlogs/kept/access/")["logGroups"]
    return {group["logGroupName"] for group in found}


@pytest.mark.cloud
@pytest.mark.slow
@pytest.mark.parametrize(("front", "auth"), [(RestFront, "api_key"), (HttpFront, "iam")])
def test_a_rejected_call_is_logged_without_its_key_and_the_log_outlives_the_stack(
    cloud: Cloud, front: Any, auth: Auth
) -> None:
    stacks, logs = cloud.client("cloudformation"), cloud.client("logs")
    before = groups(logs)

    def create() -> str:
        stacks.create_stack(
            StackName="kept", TemplateBody=kept_stack(front, auth), Capabilities=["CAPABILITY_IAM"]
        )
        stacks.get_waiter("stack_create_complete").wait(StackName="kept", WaiterConfig={"Delay": 1})
        (new,) = groups(logs) - before
        return new

    def delete() -> None:
        stacks.delete_stack(StackName="kept")
        stacks.get_waiter("stack_delete_complete").wait(StackName="kept", WaiterConfig={"Delay": 1})

    first = create()
    found = stacks.describe_stack_resources(StackName="kept")["StackResources"]
    ids = {resource["ResourceType"]: resource["PhysicalResourceId"] for resource in found}
    api = f"{ids['AWS::ApiGateway::RestApi']}/live" if front is RestFront else ids["AWS::ApiGatewayV2::Api"]
    rejected = httpx.post(
        f"{cloud.config.endpoint_url}/_gateway/{api}/predict?q={SECRET}",
        headers={"x-api-key": SECRET, "authorization": SECRET},
        content=SECRET,
        trust_env=False,
        timeout=30,
    )
    (line,) = lines(logs, first)
    delete()

    assert rejected.status_code == 403
    assert (line["status"], line["method"], line["ip"]) == ("403", "POST", "127.0.0.1")
    assert line["path"].endswith("/predict")
    assert SECRET not in json.dumps(line)
    assert first in groups(logs)
    before = groups(logs)
    assert create() != first
    delete()


@pytest.mark.cloud
@pytest.mark.slow
def test_the_log_of_a_first_create_that_failed_is_kept_and_the_next_create_is_not_refused(cloud: Cloud) -> None:
    """RetainExceptOnCreate would delete it."""
    stacks, logs = cloud.client("cloudformation"), cloud.client("logs")
    template = json.loads(kept_stack(HttpFront, "iam"))
    # Without a value, Parameter Store rejects it once everything else is there.
    others = [name for name in template["Resources"] if name != "Broken"]
    template["Resources"]["Broken"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": ""},
        "DependsOn": others,
    }
    name = "/aws/lambda/kept/"
    before = len(logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"])
    for attempt in (1, 2):
        stacks.create_stack(StackName="failed", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        while (status := stacks.describe_stacks(StackName="failed")["Stacks"][0]["StackStatus"]).endswith(
            "PROGRESS"
        ):
            time.sleep(0.1)
        assert status == "ROLLBACK_COMPLETE"
        stacks.delete_stack(StackName="failed")
        stacks.get_waiter("stack_delete_complete").wait(StackName="failed", WaiterConfig={"Delay": 1})
        assert len(logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]) == before + attempt
