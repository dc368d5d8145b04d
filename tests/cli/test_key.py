"""Keys are rotated beside the stack's own: callers keep one that works, and a deploy changes nothing back."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from serinus.cli.api_keys import KeyRing, drop_rotated
from serinus.cli.errors import CliError
from serinus.cli.offline_process import RunningCloud
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

STACK = "shop-dev-churn"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": STACK}},
        "Method": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "HttpMethod": "GET",
                "AuthorizationType": "NONE",
                "ApiKeyRequired": True,
                "Integration": {
                    "Type": "MOCK",
                    "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                    "IntegrationResponses": [{"StatusCode": "200"}],
                },
                "MethodResponses": [{"StatusCode": "200"}],
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Method"],
            "Properties": {"RestApiId": {"Ref": "Api"}},
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "StageName": "live",
                "DeploymentId": {"Ref": "Deployment"},
            },
        },
        "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Name": STACK, "Enabled": True}},
        "Plan": {
            "Type": "AWS::ApiGateway::UsagePlan",
            "Properties": {
                "UsagePlanName": STACK,
                "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}],
                "Throttle": {"RateLimit": 100, "BurstLimit": 200},
            },
        },
        "PlanKey": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        },
    },
    "Outputs": {"ApiKeyId": {"Value": {"Ref": "Key"}}, "Api": {"Value": {"Ref": "Api"}}},
}


class Deployed:
    """The stack in a cloud of its own."""

    def __init__(self, target: CloudTarget) -> None:
        self.target = target
        self.cloudformation = target.client("cloudformation")
        self.apigateway = target.client("apigateway")
        self.cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(TEMPLATE))
        self._wait("stack_create_complete")
        described = self.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
        self.ring = KeyRing(self.apigateway, STACK, self.outputs["ApiKeyId"])

    def deploy(self, rate: int) -> None:
        """The next deploy, which changes the plan that the keys are on."""
        changed = copy.deepcopy(TEMPLATE)
        changed["Resources"]["Plan"]["Properties"]["Throttle"]["RateLimit"] = rate
        self.cloudformation.update_stack(StackName=STACK, TemplateBody=json.dumps(changed))
        self._wait("stack_update_complete")

    def ask(self, key: str) -> int:
        assert self.target.cloud is not None
        url = f"{self.target.cloud.url}/_gateway/{self.outputs['Api']}/live/"
        return httpx.get(url, headers={"x-api-key": key}, trust_env=False).status_code

    def _wait(self, until: str) -> None:
        self.cloudformation.get_waiter(until).wait(
            StackName=STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
        )


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with running(CloudConfig(port=0)) as cloud:
        place = RunningCloud(
            0, cloud.config.port, cloud.config.region, cloud.config.account_id, 1.0, cloud.config.root_key
        )
        yield Deployed(CloudTarget(place))


def test_old_and_new_key_are_valid_until_the_old_one_is_closed(deployed: Deployed) -> None:
    old = deployed.ring.current()
    made = deployed.ring.rotate(NOW)
    assert deployed.ring.current().value == made.value != old.value
    assert [deployed.ask(key) for key in (old.value, made.value)] == [200, 200]
    deployed.ring.revoke(old.id)
    assert [deployed.ask(key) for key in (old.value, made.value)] == [403, 200]


def test_a_deploy_neither_opens_the_closed_key_nor_drops_the_new_one(deployed: Deployed) -> None:
    old, made = deployed.ring.current(), deployed.ring.rotate(NOW)
    deployed.ring.revoke(old.id)
    deployed.deploy(rate=50)
    assert [deployed.ask(key) for key in (old.value, made.value)] == [403, 200]
    assert {key.id: (key.origin, key.enabled) for key in deployed.ring.listed()} == {
        old.id: ("stack", False),
        made.id: ("rotation", True),
    }


def test_a_second_rotation_deletes_the_first_ones_key(deployed: Deployed) -> None:
    first, second = deployed.ring.rotate(NOW), deployed.ring.rotate(NOW)
    deployed.ring.revoke(first.id)
    assert first.id not in {key.id for key in deployed.ring.listed()}
    assert [deployed.ask(key) for key in (first.value, second.value)] == [403, 200]


def test_the_last_key_that_opens_is_not_closed(deployed: Deployed) -> None:
    only = deployed.ring.current()
    with pytest.raises(CliError, match="last enabled key"):
        deployed.ring.revoke(only.id)
    assert deployed.ask(only.value) == 200


def test_a_key_of_somebody_else_is_neither_current_nor_unknown(deployed: Deployed) -> None:
    plan = deployed.apigateway.get_usage_plans()["items"][0]["id"]
    theirs = deployed.apigateway.create_api_key(name="partner", enabled=True)
    deployed.apigateway.create_usage_plan_key(usagePlanId=plan, keyId=theirs["id"], keyType="API_KEY")
    assert deployed.ring.current().origin == "stack"
    assert "other" in {key.origin for key in deployed.ring.listed()}
    with pytest.raises(CliError, match=f"no key with ID 'nothing'.*{theirs['id']}"):
        deployed.ring.revoke("nothing")


def test_requests_of_the_day_tell_whether_an_old_key_is_still_used(deployed: Deployed) -> None:
    old, made = deployed.ring.current(), deployed.ring.rotate(NOW)
    for key in (old.value, old.value, made.value):
        deployed.ask(key)
    used = {key.id: key.requests_today for key in deployed.ring.listed(usage_of=datetime.now(UTC))}
    assert used == {old.id: 2, made.id: 1}


def test_nothing_of_a_stack_that_is_gone_is_left(deployed: Deployed) -> None:
    deployed.ring.rotate(NOW)
    deployed.cloudformation.delete_stack(StackName=STACK)
    deployed._wait("stack_delete_complete")
    assert drop_rotated(deployed.apigateway, STACK) == 1
    assert deployed.apigateway.get_api_keys()["items"] == []
