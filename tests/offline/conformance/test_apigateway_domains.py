"""Custom domain names: requests with their Host reach the API and stage that the path is mapped to."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1-2"


@pytest.fixture
def domain(aws: Callable[..., Any], unique_name: Callable[..., str]) -> Iterator[str]:
    """A regional domain name, made through the API of HTTP APIs."""
    client, name = aws("apigatewayv2"), f"{unique_name('api')}.example.com"
    client.create_domain_name(DomainName=name, DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}])
    yield name
    client.delete_domain_name(DomainName=name)


def get(api: Any, domain: str, path: str) -> httpx.Response:
    url = f"{api.cloud.config.endpoint_url}{path}"
    return httpx.get(url, headers={"Host": domain}, trust_env=False, timeout=30)


def map_paths(api: Any, domain: str, stage: str = "$default", key: str = "") -> Callable[[], Any]:
    """Map, and return what unmaps again."""
    client = api.cloud.client("apigatewayv2")
    made = client.create_api_mapping(DomainName=domain, ApiId=api.id, Stage=stage, ApiMappingKey=key)
    return lambda: client.delete_api_mapping(DomainName=domain, ApiMappingId=made["ApiMappingId"])


def test_a_domain_leads_to_an_http_api(open_api: Any, domain: str) -> None:
    """A request to a custom domain reaches the mapped stage; the event names the domain.

    Differs: the Host header selects the domain, on the cloud's own address and without TLS.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html
    """
    unmap = map_paths(open_api, domain)
    event = get(open_api, domain, "/a/b?c=1").json()
    assert (event["rawPath"], event["requestContext"]["domainName"]) == ("/a/b", domain)
    assert event["requestContext"]["domainPrefix"] == domain.partition(".")[0]
    unmap()


def test_format_two_does_not_know_the_mapping_and_format_one_does(
    http_api: Callable[..., Any], domain: str
) -> None:
    """Behind a mapping with a key, rawPath of format 2.0 lacks the key, path of format 1.0 holds it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    api = http_api()
    api.route("GET /two", version="2.0")
    api.route("GET /one", version="1.0")
    unmap = map_paths(api, domain, key="orders/v1")
    assert get(api, domain, "/orders/v1/two").json()["rawPath"] == "/two"
    assert get(api, domain, "/orders/v1/one").json()["path"] == "/orders/v1/one"
    unmap()


def test_the_longest_mapping_wins_and_the_rest_is_forbidden(http_api: Callable[..., Any], domain: str) -> None:
    """API Gateway uses the mapping with the longest matching path; without one the response is 403 Forbidden.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
    """
    short, long = http_api(), http_api()
    for api in (short, long):
        api.route()
    undo = [map_paths(short, domain, key="orders"), map_paths(long, domain, key="orders/v1")]
    assert get(short, domain, "/orders/v1/a").json()["requestContext"]["apiId"] == long.id
    assert get(short, domain, "/orders/v10").json()["requestContext"]["apiId"] == short.id
    answer = get(short, domain, "/ordersv1")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    for unmap in undo:
        unmap()


def test_a_domain_leads_to_a_rest_api(
    proxy_api: Any, aws: Callable[..., Any], unique_name: Callable[..., str]
) -> None:
    """A base path mapping leads to a stage of a REST API; event.path holds the base path.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html
    """
    client, name = aws("apigateway"), f"{unique_name('rest')}.example.com"
    made = client.create_domain_name(
        domainName=name, regionalCertificateArn=CERTIFICATE, endpointConfiguration={"types": ["REGIONAL"]}
    )
    assert made["regionalDomainName"].endswith(".execute-api.us-east-1.amazonaws.com")
    client.create_base_path_mapping(domainName=name, basePath="v1", restApiId=proxy_api.id, stage="prod")
    event = get(proxy_api, name, "/v1/a").json()
    assert (event["path"], event["pathParameters"], event["requestContext"]["path"]) == (
        "/v1/a",
        {"proxy": "a"},
        "/v1/a",
    )
    assert event["requestContext"]["domainName"] == name
    with pytest.raises(ClientError, match="remove all base path mappings"):
        client.delete_stage(restApiId=proxy_api.id, stageName="prod")
    client.delete_domain_name(domainName=name)
    assert get(proxy_api, name, "/v1/a").status_code != 200


def test_a_wildcard_takes_every_name_below_it(open_api: Any, aws: Callable[..., Any], domain: str) -> None:
    """*.example.com matches one more label; an exact domain name takes precedence.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html#http-wildcard-custom-domain-names
    """
    client = aws("apigatewayv2")
    client.create_domain_name(DomainName=f"*.{domain}", DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}])
    unmap = map_paths(open_api, f"*.{domain}")
    assert get(open_api, f"any.{domain}", "/").status_code == 200
    assert get(open_api, domain, "/").status_code == 403
    unmap()
    client.delete_domain_name(DomainName=f"*.{domain}")


def test_an_api_may_be_reached_by_its_domain_alone(http_api: Callable[..., Any], domain: str) -> None:
    """With the default endpoint disabled, the custom domain still leads to the API.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-disable-default-endpoint.html
    """
    api = http_api(DisableExecuteApiEndpoint=True)
    api.route()
    unmap = map_paths(api, domain)
    assert (api.call().status_code, get(api, domain, "/").status_code) == (404, 200)
    unmap()


@pytest.mark.parametrize(
    ("name", "certificate"),
    [
        ("no-dot", CERTIFICATE),
        ("127.0.0.1", CERTIFICATE),
        ("a.example.com", "arn:aws:acm:eu-west-1:123456789012:certificate/1"),
        ("a.example.com", "arn:aws:iam::123456789012:server-certificate/1"),
    ],
)
def test_a_domain_is_a_name_with_a_certificate_of_its_region(
    aws: Callable[..., Any], name: str, certificate: str
) -> None:
    """A regional domain needs a DNS name and a certificate of ACM in its region.

    Differs: the certificate need not exist, since this cloud has no TLS.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-specify-certificate-for-custom-domain-name.html
    """
    client = aws("apigatewayv2")
    with pytest.raises(ClientError, match="BadRequestException"):
        client.create_domain_name(DomainName=name, DomainNameConfigurations=[{"CertificateArn": certificate}])


def test_a_mapping_leads_to_a_stage_that_exists_once(open_api: Any, domain: str) -> None:
    """A mapping names an existing stage, and each key is used once a domain.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html
    """
    with pytest.raises(ClientError, match="BadRequestException"):
        map_paths(open_api, domain, stage="nowhere")
    unmap = map_paths(open_api, domain)
    with pytest.raises(ClientError, match="ConflictException"):
        map_paths(open_api, domain)
    unmap()


def test_domains_and_mappings_in_cloudformation(stacks: Any, aws: Callable[..., Any], unique_name: Any) -> None:
    """AWS::ApiGatewayV2::DomainName and ApiMapping, and the REST types, are created, updated and deleted.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-domainname.html
    """
    first, second = f"{unique_name('one')}.example.com", f"{unique_name('two')}.example.com"

    def template(key: str) -> dict[str, Any]:
        rest = {"RestApiId": {"Ref": "Rest"}}
        resources: dict[str, Any] = {
            "Http": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "a", "ProtocolType": "HTTP"}},
            "HttpStage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {"ApiId": {"Ref": "Http"}, "StageName": "$default", "AutoDeploy": True},
            },
            "Domain": {
                "Type": "AWS::ApiGatewayV2::DomainName",
                "Properties": {
                    "DomainName": first,
                    "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL"}],
                },
            },
            "Mapping": {
                "Type": "AWS::ApiGatewayV2::ApiMapping",
                "Properties": {
                    "ApiId": {"Ref": "Http"},
                    "DomainName": {"Ref": "Domain"},
                    "Stage": {"Ref": "HttpStage"},
                    "ApiMappingKey": key,
                },
            },
            "Rest": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "r"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    **rest,
                    "ResourceId": {"Fn::GetAtt": ["Rest", "RootResourceId"]},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": {"Type": "MOCK"},
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": ["Method"],
                "Properties": rest,
            },
            "RestStage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {**rest, "StageName": "prod", "DeploymentId": {"Ref": "Deployment"}},
            },
            "RestDomain": {
                "Type": "AWS::ApiGateway::DomainName",
                "Properties": {
                    "DomainName": second,
                    "RegionalCertificateArn": f"{CERTIFICATE}{key}",
                    "EndpointConfiguration": {"Types": ["REGIONAL"]},
                    "SecurityPolicy": "TLS_1_2",
                },
            },
            "RestMapping": {
                "Type": "AWS::ApiGateway::BasePathMapping",
                "Properties": {**rest, "DomainName": {"Ref": "RestDomain"}, "Stage": {"Ref": "RestStage"}},
            },
        }
        target = {"Value": {"Fn::GetAtt": ["RestDomain", "RegionalDomainName"]}}
        return {"Resources": resources, "Outputs": {"Target": target}}

    stack = stacks.create(template("a"))
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    assert stacks.outputs(stack)["Target"].endswith(".amazonaws.com")
    assert stacks.update(stack, template("b")) == "UPDATE_COMPLETE", stacks.events(stack)
    keys = [one["ApiMappingKey"] for one in aws("apigatewayv2").get_api_mappings(DomainName=first)["Items"]]
    assert keys == ["b"]
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.events(stack)


def test_which_tls_is_spoken_is_kept(aws: Callable[..., Any], unique_name: Callable[..., str]) -> None:
    """An API's security policy sets its minimum TLS; policies of 2025 need an endpoint access mode.

    Differs: the policy is stored and returned but has no effect, because this cloud has no TLS.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
    """
    client, policy = aws("apigateway"), "SecurityPolicy_TLS13_1_3_2025_09"
    with pytest.raises(ClientError, match="needs an endpoint access mode"):
        client.create_rest_api(name=unique_name("api"), securityPolicy=policy)
    made = client.create_rest_api(name=unique_name("api"), securityPolicy=policy, endpointAccessMode="STRICT")
    found = client.get_rest_api(restApiId=made["id"])
    assert (found["securityPolicy"], found["endpointAccessMode"]) == (policy, "STRICT")
    client.delete_rest_api(restApiId=made["id"])
