"""Each front under each auth, deployed by CloudFormation to the offline cloud: who is let in, and who is not."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aws_cdk as cdk
import httpx
import pytest
from aws_cdk.assertions import Template
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from serinus.infra.constructs.custom_domain import RestDomain
from serinus.infra.constructs.http_api import HttpFront
from serinus.infra.constructs.rest_api import RestFront
from serinus.infra.constructs.web_acl import WebAcl
from serinus.infra.settings import DomainSettings, JwtSettings, WafSettings
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

REGION = "us-east-1"
PAGE = "https://app.example"
OTHER_PAGE = "https://other.example"
Deploy = Callable[..., str]
DOMAIN = DomainSettings(
    name="churn.example.com",
    certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running(CloudConfig(port=0, max_workers=2)) as started:
        yield started


@pytest.fixture(scope="module")
def deploy(cloud: Cloud, front_template: Callable[..., Template]) -> Deploy:
    """Deploys a front before a function that answers with its event; returns its address."""

    numbers = itertools.count()

    client = cloud.client

    def create(front: Any, **access: Any) -> str:
        stage = "live" if front is RestFront else None
        made = front_template(front, stage=stage, docs=True, cors_origins=(PAGE, OTHER_PAGE), **access).to_json()
        name = f"{front.__name__}-{next(numbers)}"
        stacks = client("cloudformation")
        stacks.create_stack(
            StackName=name,
            TemplateBody=json.dumps({"Resources": made["Resources"]}),
            Capabilities=["CAPABILITY_IAM"],
        )
        stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        found = stacks.describe_stack_resources(StackName=name)["StackResources"]
        ids = {one["ResourceType"]: one["PhysicalResourceId"] for one in found}
        if front is RestFront:
            return f"{cloud.config.endpoint_url}/_gateway/{ids['AWS::ApiGateway::RestApi']}/live"
        return f"{cloud.config.endpoint_url}/_gateway/{ids['AWS::ApiGatewayV2::Api']}"

    return create


def stand_before(stack: cdk.Stack, front: Any) -> None:
    """A web ACL and a domain."""
    rules = WafSettings(ip_rate_limit=10, managed_rules=("AWSManagedRulesCommonRuleSet",))
    WebAcl(stack, "WebAcl", name="shop-dev-churn", stage_arn=front.stage_arn, rules=rules)
    RestDomain(stack, "RestDomain", domain=DOMAIN, api=front.api, minimum_tls="1.3")


def call(url: str, method: str = "POST", **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(method, url, headers=sent, content=b"{}", trust_env=False, timeout=30)


def signed(cloud: Cloud, url: str) -> dict[str, str]:
    """The headers of a POST of ``{}`` that the cloud's owner signed."""
    request = AWSRequest("POST", url, data=b"{}")
    SigV4Auth(cloud.config.root_key.credentials(), "execute-api", REGION).add_auth(request)
    return dict(request.headers.items())


def assert_pages_may_ask(url: str) -> None:
    for page in (PAGE, OTHER_PAGE):
        asked = call(
            f"{url}/predict",
            "OPTIONS",
            Origin=page,
            access_control_request_method="POST",
            access_control_request_headers="content-type",
        )
        assert asked.status_code in (200, 204), asked.text
        assert asked.headers["access-control-allow-origin"] == page


@pytest.mark.parametrize("front", [RestFront, HttpFront])
def test_iam_lets_in_who_signs(cloud: Cloud, deploy: Deploy, front: Any) -> None:
    url = deploy(front, auth="iam")

    assert call(f"{url}/predict").status_code == 403
    answer = httpx.post(f"{url}/predict", content=b"{}", headers=signed(cloud, f"{url}/predict"), trust_env=False)
    assert answer.status_code == 200, answer.text
    assert call(f"{url}/docs", "GET").status_code == 200
    assert_pages_may_ask(url)


def test_jwt_lets_in_the_issuers_tokens_for_this_audience_and_scope(deploy: Deploy, issuer: Any) -> None:
    settings = JwtSettings(issuer=issuer.url, audience=("serving",), scopes=("predict",))
    url = deploy(HttpFront, auth="jwt", jwt=settings)

    def status(**changes: Any) -> int:
        token = issuer.sign(issuer.claims(time.time(), **{"scope": "predict", **changes}))
        return call(f"{url}/predict", authorization=f"Bearer {token}").status_code

    assert status() == 200
    assert call(f"{url}/predict").status_code == 401
    assert status(aud="another") == 401
    assert status(exp=int(time.time()) - 60) == 401
    assert status(scope="read") == 403
    assert call(f"{url}/docs", "GET").status_code == 200
    assert_pages_may_ask(url)


@pytest.mark.parametrize("front", [RestFront, HttpFront])
def test_public_lets_in_everyone_until_the_stage_is_full(deploy: Deploy, front: Any) -> None:
    url = deploy(front, auth="public", rate_limit_per_s=1, burst_limit=1)
    with ThreadPoolExecutor(20) as callers:
        statuses = set(callers.map(lambda _: call(f"{url}/predict").status_code, range(20)))

    assert statuses == {200, 429}


def test_the_function_sees_the_path_without_a_stage_behind_an_http_api(deploy: Deploy) -> None:
    url = deploy(HttpFront, auth="public")
    event = call(f"{url}/v2/models/churn/infer").json()

    assert (event["version"], event["rawPath"]) == ("2.0", "/v2/models/churn/infer")
    assert event["requestContext"]["stage"] == "$default"


def test_a_domain_leads_past_the_web_acl_which_lets_large_bodies_pass_and_ends_a_flood(
    deploy: Deploy, cloud: Cloud
) -> None:
    traced = (("tracing", True), ("minimum_tls", "1.3"))
    closed = deploy(RestFront, auth="public", beside=stand_before, options=(*traced, ("default_host", False)))
    assert call(f"{closed}/predict").status_code == 403
    url, host = f"{cloud.config.endpoint_url}/predict", {"host": "churn.example.com"}
    large = httpx.post(url, headers=host, content=b"x" * 20_000, trust_env=False, timeout=30)
    assert large.status_code == 200, large.text
    assert large.json()["path"] == "/predict"

    assert [call(url, **host).status_code for _ in range(10)] == [200] * 9 + [403]
