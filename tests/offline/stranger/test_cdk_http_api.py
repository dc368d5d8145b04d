"""The stock CDK CLI and a plain CDK app with an HTTP API: deployed, and guarded by a real issuer's tokens."""

import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from serinus.offline.cloud.cloud import Cloud

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("stranger")]

Cdk = Callable[..., subprocess.CompletedProcess[str]]


def test_an_http_api_with_a_jwt_authorizer(
    cdk_of: Callable[[str], Cdk], client: Callable[[str], Any], own_cloud: Cloud, issuer: Any
) -> None:
    cdk = cdk_of("http_app.py")
    cdk("deploy", "--require-approval", "never", "-c", f"issuer={issuer.url}")
    stack = client("cloudformation").describe_stacks(StackName="http-stranger")["Stacks"][0]
    api_id = stack["Outputs"][0]["OutputValue"].removeprefix("https://").partition(".")[0]

    def call(path: str, **claims: Any) -> httpx.Response:
        headers = {}
        if claims:
            now = own_cloud.clock.time()
            token = issuer.sign(issuer.claims(now, exp=int(now) + 86_400, **claims))
            headers["Authorization"] = f"Bearer {token}"
        url = f"{own_cloud.config.endpoint_url}/_gateway/{api_id}{path}"
        return httpx.get(url, headers=headers, trust_env=False, timeout=30)

    assert call("/open").text == "open"
    assert call("/guarded").status_code == 401
    assert call("/guarded", sub="me").json()["jwt"]["claims"]["sub"] == "me"
    assert call("/guarded", aud="others").status_code == 401
    assert call("/scoped/a", scope="read").status_code == 403
    assert call("/scoped/a", scope="read predict").json()["jwt"]["scopes"] == ["read", "predict"]
    cdk("destroy", "--force")
