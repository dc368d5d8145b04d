"""Web ACLs in front of REST APIs: rate-based rules, AWS's managed rule groups, and what AWS refuses."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

FORBIDDEN = {"message": "Forbidden"}
CORE = "AWSManagedRulesCommonRuleSet"


def visible(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def rate(limit: int, action: str = "Block", **settings: Any) -> dict[str, Any]:
    statement = {"Limit": limit, "AggregateKeyType": "IP", **settings}
    return {
        "Name": "rate",
        "Priority": 0,
        "Action": {action: {}},
        "Statement": {"RateBasedStatement": statement},
        "VisibilityConfig": visible("rate"),
    }


def managed(name: str = CORE, override: str = "None", **settings: Any) -> dict[str, Any]:
    return {
        "Name": "managed",
        "Priority": 1,
        "OverrideAction": {override: {}},
        "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name, **settings}},
        "VisibilityConfig": visible("managed"),
    }


def stage_of(api: Any, stage: str = "prod") -> str:
    return f"arn:aws:apigateway:us-east-1::/restapis/{api.id}/stages/{stage}"


@pytest.fixture
def web_acl(aws: Callable[..., Any], unique_name: Callable[..., str]) -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes a web ACL of rules; it is gone after the test."""
    client, made = aws("wafv2"), []

    def make(*rules: dict[str, Any], **settings: Any) -> dict[str, Any]:
        name = unique_name("acl")
        given = {"DefaultAction": {"Allow": {}}, "VisibilityConfig": visible(name), **settings}
        summary: dict[str, Any] = client.create_web_acl(Name=name, Scope="REGIONAL", Rules=list(rules), **given)[
            "Summary"
        ]
        made.append(summary)
        return summary

    yield make
    for summary in made:
        for stage in client.list_resources_for_web_acl(WebACLArn=summary["ARN"])["ResourceArns"]:
            client.disassociate_web_acl(ResourceArn=stage)
        place = {"Name": summary["Name"], "Id": summary["Id"], "Scope": "REGIONAL"}
        client.delete_web_acl(**place, LockToken=client.get_web_acl(**place)["LockToken"])


@pytest.fixture
def behind(web_acl: Callable[..., dict[str, Any]], proxy_api: Any, aws: Callable[..., Any]) -> Callable[..., Any]:
    """The obedient API behind a web ACL of these rules."""

    def make(*rules: dict[str, Any], **settings: Any) -> Any:
        summary = web_acl(*rules, **settings)
        aws("wafv2").associate_web_acl(WebACLArn=summary["ARN"], ResourceArn=stage_of(proxy_api))
        return proxy_api

    return make


def refusal(call: Callable[..., Any], *given: Any, **settings: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*given, **settings)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_a_rate_above_the_limit_is_forbidden(behind: Callable[..., Any]) -> None:
    """Requests of one address above the limit within the window give 403 Forbidden.

    Differs: the limit applies from the first request above it; AWS checks every few seconds.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
    """
    api = behind(rate(10))
    codes = [api.call().status_code for _ in range(12)]
    assert codes == [200] * 10 + [403] * 2
    answer = api.call()
    assert answer.json() == FORBIDDEN
    assert answer.headers["x-amzn-errortype"] == "ForbiddenException"


def test_the_window_of_a_rate_slides_by_cloud_time(stepped: Any, unique_name: Callable[..., str]) -> None:
    """A rate counts the requests of the evaluation window that ends now.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
    """
    client, waf = stepped.client("apigateway"), stepped.client("wafv2")
    api = client.create_rest_api(name="limited")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_method_response(**place, statusCode="200")
    client.put_integration_response(**place, statusCode="200")
    client.create_deployment(restApiId=api["id"], stageName="prod")
    name = unique_name("acl")
    acl = waf.create_web_acl(
        Name=name,
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        Rules=[rate(10, EvaluationWindowSec=60)],
        VisibilityConfig=visible(name),
    )["Summary"]
    stage = f"arn:aws:apigateway:us-east-1::/restapis/{api['id']}/stages/prod"
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=stage)
    url = f"{stepped.cloud.config.endpoint_url}/_gateway/{api['id']}/prod/"

    def status() -> int:
        return httpx.get(url, trust_env=False).status_code

    assert [status() for _ in range(11)] == [200] * 10 + [403]
    rule = {"Scope": "REGIONAL", "WebACLName": name, "WebACLId": acl["Id"], "RuleName": "rate"}
    limited = waf.get_rate_based_statement_managed_keys(**rule)["ManagedKeysIPV4"]["Addresses"]
    assert limited == ["127.0.0.1/32"]
    stepped.advance(59)
    assert status() == 403
    stepped.advance(61)
    assert status() == 200
    waf.disassociate_web_acl(ResourceArn=stage)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("request_", "blocked"),
    [
        ({}, False),
        ({"path": f"/?{'q' * 2048}"}, False),
        ({"path": f"/?{'q' * 2049}"}, True),
        ({"path": f"/{'p' * 1024}"}, True),
        ({"headers": {"Cookie": "c" * 10_241}}, True),
        ({"http_method": "POST", "content": b"b" * 8192}, False),
        ({"http_method": "POST", "content": b"b" * 8193}, True),
    ],
    ids=["plain", "query at limit", "long query", "long path", "long cookie", "body at limit", "long body"],
)
def test_the_core_rule_set_restricts_sizes(
    behind: Callable[..., Any], request_: dict[str, Any], blocked: bool
) -> None:
    """AWSManagedRulesCommonRuleSet blocks queries over 2,048 bytes, paths over 1,024, bodies over 8 KB.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
    """
    status = behind(managed()).call(**request_).status_code
    assert status in ((403, 431) if blocked else (200,))


def test_the_core_rule_set_wants_a_user_agent(behind: Callable[..., Any]) -> None:
    """NoUserAgent_HEADER blocks requests without the header.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
    """
    api = behind(managed())
    request = httpx.Request("GET", api.url())
    request.headers.pop("user-agent", None)
    with httpx.Client(trust_env=False) as client:
        assert client.send(request).status_code == 403


@pytest.mark.parametrize(
    "settings",
    [
        {"RuleActionOverrides": [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]},
        {"ExcludedRules": [{"Name": "SizeRestrictions_BODY"}]},
        {"override": "Count"},
    ],
    ids=["rule", "excluded", "group"],
)
def test_overridden_rules_only_count(
    behind: Callable[..., Any], aws: Callable[..., Any], settings: dict[str, Any]
) -> None:
    """A rule, or a whole group, whose action is overridden to Count lets requests pass and counts them.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-rule-group-override-options.html
    """
    api = behind(managed(**settings))
    assert api.call("POST", content=b"b" * 9000).status_code == 200
    counted = aws("cloudwatch").list_metrics(Namespace="AWS/WAFV2", MetricName="CountedRequests")["Metrics"]
    assert {"Name": "Rule", "Value": "managed"} in [item for one in counted for item in one["Dimensions"]]


def test_patterns_that_aws_does_not_publish_match_nothing(behind: Callable[..., Any]) -> None:
    """Rules of managed groups that look for undisclosed patterns are listed in the web ACL.

    Differs: they are not evaluated, because AWS does not publish what they match.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
    """
    api = behind(managed(), {**managed("AWSManagedRulesSQLiRuleSet"), "Name": "sqli", "Priority": 2})
    assert api.call(path="/?id=1%27%20OR%201=1--&x=%3Cscript%3E").status_code == 200


def test_the_first_rule_that_decides_ends_it(behind: Callable[..., Any]) -> None:
    """Rules are evaluated by priority; the default action applies if none of them decides.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-processing.html
    """
    api = behind(rate(10, action="Count"), DefaultAction={"Block": {}})
    assert api.call().status_code == 403


def test_the_firewall_comes_before_keys_and_signatures(
    web_acl: Callable[..., Any], rest_api: Callable[..., Any], aws: Callable[..., Any]
) -> None:
    """A web ACL is evaluated before keys, IAM and authorizers; it blocks with the gateway response WAF_FILTERED.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html
    """
    api = rest_api()
    api.proxy("/", apiKeyRequired=True, authorizationType="AWS_IAM")
    api.client.put_gateway_response(restApiId=api.id, responseType="WAF_FILTERED", statusCode="418")
    api.deploy()
    acl = web_acl(DefaultAction={"Block": {}})
    aws("wafv2").associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=stage_of(api))
    assert api.call().status_code == 418
    stage = api.client.get_stage(restApiId=api.id, stageName="prod")
    assert stage["webAclArn"] == acl["ARN"]


def test_http_apis_cannot_be_fronted(open_api: Any, web_acl: Callable[..., Any], aws: Callable[..., Any]) -> None:
    """AWS WAF protects stages of REST APIs; the ARN of an HTTP API's stage is refused.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
    """
    arn = f"arn:aws:apigateway:us-east-1::/apis/{open_api.id}/stages/$default"
    call = aws("wafv2").associate_web_acl
    assert refusal(call, WebACLArn=web_acl()["ARN"], ResourceArn=arn) == "WAFInvalidParameterException"


def test_a_web_acl_in_use_is_not_deleted(behind: Callable[..., Any], aws: Callable[..., Any]) -> None:
    """Deleting a web ACL in use is a WAFAssociatedItemException.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_DeleteWebACL.html
    """
    api, waf = behind(rate(100)), aws("wafv2")
    acl = waf.get_web_acl_for_resource(ResourceArn=stage_of(api))["WebACL"]
    place = {"Name": acl["Name"], "Id": acl["Id"], "Scope": "REGIONAL"}
    token = waf.get_web_acl(**place)["LockToken"]
    assert refusal(waf.delete_web_acl, **place, LockToken=token) == "WAFAssociatedItemException"
    assert refusal(waf.delete_web_acl, **place, LockToken="0" * 36) == "WAFOptimisticLockException"


def test_updates_replace_the_rules(behind: Callable[..., Any], aws: Callable[..., Any]) -> None:
    """UpdateWebACL replaces everything, with the lock token that was read; it applies at once.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateWebACL.html
    """
    api, waf = behind(rate(100)), aws("wafv2")
    acl = waf.get_web_acl_for_resource(ResourceArn=stage_of(api))["WebACL"]
    place = {"Name": acl["Name"], "Id": acl["Id"], "Scope": "REGIONAL"}
    token = waf.get_web_acl(**place)["LockToken"]
    waf.update_web_acl(
        **place, LockToken=token, DefaultAction={"Block": {}}, VisibilityConfig=acl["VisibilityConfig"]
    )
    assert api.call().status_code == 403


@pytest.mark.parametrize(
    "rule",
    [
        rate(9),
        rate(100, EvaluationWindowSec=61),
        rate(100, action="Allow"),
        managed(RuleActionOverrides=[{"Name": "NoSuchRule", "ActionToUse": {"Count": {}}}]),
        {**managed(), "Action": {"Block": {}}},
        {**rate(100), "OverrideAction": {"None": {}}},
    ],
    ids=["limit", "window", "allowing", "override", "both actions", "wrong action"],
)
def test_a_rule_that_cannot_be_is_refused(web_acl: Callable[..., Any], rule: dict[str, Any]) -> None:
    """Limits begin at 10, windows are 1, 2, 5 or 10 minutes, groups are overridden and other rules act.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
    """
    assert refusal(web_acl, rule) == "WAFInvalidParameterException"


def test_an_unknown_rule_group_does_not_exist(web_acl: Callable[..., Any], aws: Callable[..., Any]) -> None:
    """An unknown managed rule group is a WAFNonexistentItemException; known ones list their rules.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_DescribeManagedRuleGroup.html
    """
    assert refusal(web_acl, managed("AWSManagedRulesNothing")) == "WAFNonexistentItemException"
    found = aws("wafv2").describe_managed_rule_group(VendorName="AWS", Name=CORE, Scope="REGIONAL")
    assert (found["Capacity"], found["Rules"][0]["Name"]) == (700, "NoUserAgent_HEADER")


def test_what_is_not_evaluated_is_refused_by_name(web_acl: Callable[..., Any]) -> None:
    """Other statements, other aggregations, bot control, captchas and CloudFront are not modelled.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements-list.html
    """
    geo = {**rate(100), "Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}}
    for rule in (
        geo,
        rate(100, AggregateKeyType="CONSTANT"),
        rate(100, action="Captcha"),
        managed("AWSManagedRulesBotControlRuleSet"),
    ):
        assert refusal(web_acl, rule) == "NotImplemented"


def test_a_web_acl_in_cloudformation(stacks: Any, proxy_api: Any, aws: Callable[..., Any]) -> None:
    """AWS::WAFv2::WebACL and WebACLAssociation are created, updated in place and deleted.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webacl.html
    """

    def template(limit: int) -> dict[str, Any]:
        return {
            "Resources": {
                "Acl": {
                    "Type": "AWS::WAFv2::WebACL",
                    "Properties": {
                        "Scope": "REGIONAL",
                        "DefaultAction": {"Allow": {}},
                        "Rules": [rate(limit), managed()],
                        "VisibilityConfig": visible("acl"),
                    },
                },
                "Association": {
                    "Type": "AWS::WAFv2::WebACLAssociation",
                    "Properties": {
                        "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]},
                        "ResourceArn": stage_of(proxy_api),
                    },
                },
            },
            "Outputs": {"Capacity": {"Value": {"Fn::GetAtt": ["Acl", "Capacity"]}}},
        }

    stack = stacks.create(template(10))
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    assert stacks.outputs(stack)["Capacity"] == "702"
    assert [proxy_api.call().status_code for _ in range(11)][-1] == 403
    assert stacks.update(stack, template(1000)) == "UPDATE_COMPLETE", stacks.events(stack)
    assert proxy_api.call().status_code == 200
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.events(stack)
    assert "WebACL" not in aws("wafv2").get_web_acl_for_resource(ResourceArn=stage_of(proxy_api))


@pytest.mark.parametrize(
    ("name", "reading", "accepted"),
    [
        ("All", "case-sensitive", False),
        ("Default_Action", "case-insensitive", False),
        ("all", "case-insensitive", False),
        ("all", "case-sensitive", True),
        ("web-acl", "case-insensitive", True),
    ],
)
def test_metric_names_reserved_for_waf_are_refused(
    web_acl: Callable[..., Any], cloud: Any, play: Callable[..., None], name: str, reading: str, accepted: bool
) -> None:
    """Metric names reserved for AWS WAF are refused; whether their case counts is a reading.

    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_VisibilityConfig.html
    """
    play(cloud, waf_reserved_names=reading)
    rule = {**rate(100), "VisibilityConfig": visible(name)}
    if accepted:
        assert web_acl(rule, VisibilityConfig=visible(name))["Id"]
        return
    for refused in ((), {"VisibilityConfig": visible(name)}), ((rule,), {}):
        with pytest.raises(ClientError, match="reserved for AWS WAF") as error:
            web_acl(*refused[0], **refused[1])
        assert error.value.response["Error"]["Code"] == "WAFInvalidParameterException"
