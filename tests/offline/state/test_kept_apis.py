"""HTTP APIs, custom domains and web ACLs are there again when a cloud comes back on its state folder."""

from pathlib import Path

import httpx

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

DOMAIN = "api.example.com"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1-2"
ASKED = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}


def allowed_origin(cloud: Cloud) -> str | None:
    """What the API behind the domain answers a preflight with."""
    answer = httpx.options(
        f"{cloud.config.endpoint_url}/v1/predict", headers={"Host": DOMAIN, **ASKED}, trust_env=False
    )
    return answer.headers.get("access-control-allow-origin")


def test_apis_domains_and_web_acls_outlive_the_cloud(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with running(CloudConfig(port=0, state_dir=folder)) as cloud:
        apis, firewall = cloud.client("apigatewayv2"), cloud.client("wafv2")
        api_id = apis.create_api(
            Name="kept", ProtocolType="HTTP", CorsConfiguration={"AllowOrigins": [ASKED["Origin"]]}
        )["ApiId"]
        apis.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        apis.create_domain_name(DomainName=DOMAIN, DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}])
        apis.create_api_mapping(DomainName=DOMAIN, ApiId=api_id, Stage="$default", ApiMappingKey="v1")
        visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "kept"}
        firewall.create_web_acl(
            Name="kept", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=visible
        )
        assert allowed_origin(cloud) == ASKED["Origin"]
    with running(CloudConfig(port=0, state_dir=folder)) as cloud:
        assert allowed_origin(cloud) == ASKED["Origin"]
        acls = cloud.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
        assert [acl["Name"] for acl in acls] == ["kept"]
