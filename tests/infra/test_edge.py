"""What stands around the API: web ACL, domain, least TLS, traces; and where AWS does not offer them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint as cfn_lint

from serinus.infra.constructs.custom_domain import HttpDomain
from serinus.infra.constructs.http_api import HttpFront
from serinus.infra.errors import SettingsError
from serinus.infra.lint import Finding, lint
from serinus.infra.names import OUTPUTS
from serinus.infra.settings import DomainSettings, load_settings

Templates = Callable[..., dict[str, Any]]
BASE = '[project]\nname = "shop"\n\n[endpoint.churn]\n'
ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
DOMAIN = f'[endpoint.churn.domain]\nname = "churn.example.com"\ncertificate_arn = "{ARN}"\n'
ZONE = 'hosted_zone_id = "Z0123456789ABC"\n'
WAF = (
    "[endpoint.churn.waf]\nip_rate_limit = 500\n"
    'managed_rules = ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesAmazonIpReputationList"]\n'
)
REST = 'minimum_tls = "1.3"\ntracing = true\n' + DOMAIN + ZONE + WAF
HTTP = 'front = "http"\nauth = "iam"\ntracing = true\n' + DOMAIN + ZONE
PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-west-1"\n'


@pytest.fixture(scope="module")
def edge(template_of: Templates, resources_of: Any) -> Callable[[str, str], list[dict[str, Any]]]:
    """Properties of the resources of a type in the stack of these settings."""

    def find(text: str, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in resources_of(template_of(text), kind).values()]

    return find


@pytest.mark.slow
@pytest.mark.parametrize("text", [REST, HTTP], ids=["rest", "http"])
def test_cfn_lint_has_no_error_and_no_warning(template_of: Templates, text: str) -> None:
    found = cfn_lint(json.dumps(template_of(text)), regions=["us-east-1", "eu-central-1"])

    assert [str(match) for match in found] == []


def test_none_of_it_is_there_unless_asked(template_of: Templates) -> None:
    kinds = {one["Type"] for one in template_of("")["Resources"].values()}

    assert not [kind for kind in kinds if "WAFv2" in kind or "Domain" in kind or "Route53" in kind]


def test_the_web_acl_counts_addresses_and_asks_awss_groups(edge: Any) -> None:
    (acl,) = edge(REST, "AWS::WAFv2::WebACL")
    rate, common, reputation = acl["Rules"]

    assert (acl["Scope"], acl["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    assert rate["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
        "Limit": 500,
    }
    assert rate["Action"] == {"Block": {}}
    assert [rule["Priority"] for rule in acl["Rules"]] == [0, 1, 2]
    assert common["Statement"]["ManagedRuleGroupStatement"] == {
        "Name": "AWSManagedRulesCommonRuleSet",
        "VendorName": "AWS",
        "RuleActionOverrides": [{"ActionToUse": {"Count": {}}, "Name": "SizeRestrictions_BODY"}],
    }
    assert reputation["Statement"]["ManagedRuleGroupStatement"]["Name"] == "AWSManagedRulesAmazonIpReputationList"
    assert [rule["OverrideAction"] for rule in (common, reputation)] == [{"None": {}}] * 2


def test_no_request_is_sampled(edge: Any) -> None:
    (acl,) = edge(REST, "AWS::WAFv2::WebACL")
    shown = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]

    assert {one["SampledRequestsEnabled"] for one in shown} == {False}


def test_no_metric_has_a_name_that_waf_reserves(edge: Any) -> None:
    (acl,) = edge(REST, "AWS::WAFv2::WebACL")
    shown = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]

    assert not {one["MetricName"].lower() for one in shown} & {"all", "default_action"}


def test_the_web_acl_stands_before_the_stage(template_of: Templates, resources_of: Any, edge: Any) -> None:
    (association,) = edge(REST, "AWS::WAFv2::WebACLAssociation")
    (stage,) = resources_of(template_of(REST), "AWS::ApiGateway::Stage")

    assert association["ResourceArn"]["Fn::Join"][1][-2:] == ["/stages/", {"Ref": stage}]


def test_rules_that_only_count_let_pass(edge: Any) -> None:
    (acl,) = edge(WAF + "count_only = true\n", "AWS::WAFv2::WebACL")
    rate, *groups = acl["Rules"]

    assert rate["Action"] == {"Count": {}}
    assert [rule["OverrideAction"] for rule in groups] == [{"Count": {}}] * 2


def test_a_rest_api_has_its_domain_under_the_same_least_tls(template_of: Templates, edge: Any) -> None:
    (api,), (domain,) = edge(REST, "AWS::ApiGateway::RestApi"), edge(REST, "AWS::ApiGateway::DomainName")
    policy = {"SecurityPolicy": "SecurityPolicy_TLS13_1_3_2025_09", "EndpointAccessMode": "STRICT"}

    assert policy.items() <= api.items()
    assert policy.items() <= domain.items()
    assert (domain["DomainName"], domain["RegionalCertificateArn"]) == ("churn.example.com", ARN)
    assert template_of(REST)["Outputs"][OUTPUTS.domain_url]["Value"] == "https://churn.example.com"


def test_apis_and_domains_require_tls_1_2_by_default(edge: Any) -> None:
    (api,) = edge("", "AWS::ApiGateway::RestApi")
    (rest,) = edge(DOMAIN, "AWS::ApiGateway::DomainName")
    (http,) = edge(HTTP, "AWS::ApiGatewayV2::DomainName")

    policy = {"SecurityPolicy": "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "EndpointAccessMode": "STRICT"}
    assert policy.items() <= api.items()
    assert policy.items() <= rest.items()
    assert http["DomainNameConfigurations"] == [
        {"CertificateArn": ARN, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    ]


@pytest.mark.parametrize(
    ("front", "kind"),
    [("", "AWS::ApiGateway::RestApi"), ('front = "http"\nauth = "iam"\n', "AWS::ApiGatewayV2::Api")],
    ids=["rest", "http"],
)
def test_a_domain_closes_awss_own_address_unless_both_are_kept(
    template_of: Templates, edge: Any, front: str, kind: str
) -> None:
    texts = {"alone": front, "domain": front + DOMAIN, "both": front + DOMAIN + "keep_default_host = true\n"}
    closed = {case: edge(text, kind)[0].get("DisableExecuteApiEndpoint", False) for case, text in texts.items()}
    urls = {case: json.dumps(template_of(text)["Outputs"][OUTPUTS.url]["Value"]) for case, text in texts.items()}

    assert closed == {"alone": False, "domain": True, "both": False}
    assert urls["domain"] == '"https://churn.example.com"'
    assert all("execute-api" in urls[case] for case in ("alone", "both"))


def test_the_offline_clouds_environment_keeps_awss_address(tmp_path: Path) -> None:
    (tmp_path / "serinus.toml").write_text(BASE + DOMAIN, encoding="utf-8")
    closes = {
        environment: load_settings(tmp_path / "serinus.toml", environment)
        .endpoints[0]
        .settings.domain.closes_default_host
        for environment in ("local", "dev")
    }

    assert closes == {"local": False, "dev": True}
    assert lint(tmp_path, "local") == lint(tmp_path, "dev")


@pytest.mark.parametrize(
    ("text", "kind"),
    [(REST, "AWS::ApiGateway::BasePathMapping"), (HTTP, "AWS::ApiGatewayV2::ApiMapping")],
    ids=["rest", "http"],
)
def test_the_whole_domain_leads_to_the_stage_and_the_zone_to_the_domain(edge: Any, text: str, kind: str) -> None:
    (mapping,), (record,) = edge(text, kind), edge(text, "AWS::Route53::RecordSet")
    domain = mapping["DomainName"]["Ref"]

    assert "BasePath" not in mapping
    assert "ApiMappingKey" not in mapping
    assert (record["Name"], record["Type"], record["HostedZoneId"]) == (
        "churn.example.com.",
        "A",
        "Z0123456789ABC",
    )
    assert record["AliasTarget"]["DNSName"] == {"Fn::GetAtt": [domain, "RegionalDomainName"]}
    assert record["AliasTarget"]["HostedZoneId"] == {"Fn::GetAtt": [domain, "RegionalHostedZoneId"]}


def test_without_a_zone_nothing_is_written_into_one(front_template: Any) -> None:
    domain = DomainSettings(name="churn.example.com", certificate_arn=ARN)

    def named(stack: Any, front: Any) -> None:
        HttpDomain(stack, "Domain", domain=domain, api=front.api, stage=front.stage)

    front_template(HttpFront, auth="iam", beside=named).resource_count_is("AWS::Route53::RecordSet", 0)


def test_traces_are_of_the_endpoints_function_and_its_rest_api(edge: Any) -> None:
    modes = {one["FunctionName"]: one.get("TracingConfig") for one in edge(REST, "AWS::Lambda::Function")}

    assert {name: mode for name, mode in modes.items() if mode} == {"shop-dev-churn": {"Mode": "Active"}}
    assert [stage["TracingEnabled"] for stage in edge(REST, "AWS::ApiGateway::Stage")] == [True]


def test_tracing_grants_what_sending_traces_needs_and_nothing_else(edge: Any) -> None:
    def granted(text: str) -> set[tuple[str, str]]:
        return {
            (action, json.dumps(statement["Resource"], sort_keys=True))
            for role in edge(text, "AWS::IAM::Role")
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }

    more = granted("tracing = true\n") - granted("")
    assert more == {("xray:PutTraceSegments", '"*"'), ("xray:PutTelemetryRecords", '"*"')}


def test_tracing_makes_another_version(template_of: Templates, resources_of: Any) -> None:
    plain, traced = (resources_of(template_of(text), "AWS::Lambda::Version") for text in ("", "tracing = true\n"))

    assert plain.keys().isdisjoint(traced)


def findings(folder: Path, text: str, environment: str = "dev") -> list[Finding]:
    (folder / "serinus.toml").write_text(BASE + text, encoding="utf-8")
    return lint(folder, environment)


@pytest.mark.parametrize(
    ("text", "severity", "key", "said"),
    [
        ('front = "http"\nauth = "iam"\n' + WAF, "error", "waf.ip_rate_limit", "in front of REST APIs only"),
        ("[endpoint.churn.waf]\ncount_only = true\n", "warning", "waf.count_only", "there is no rule"),
        ('front = "http"\nauth = "iam"\nminimum_tls = "1.3"\n', "error", "minimum_tls", "accept TLS 1.2 too"),
        ('front = "http"\nauth = "iam"\ntracing = true\n', "warning", "tracing", "HTTP APIs are not traced"),
        (
            '[endpoint.churn.domain]\nname = "churn.example.com"\n',
            "error", "domain.certificate_arn", "is not set, and domain.name is",
        ),
        (
            f'[endpoint.churn.domain]\ncertificate_arn = "{ARN}"\n',
            "error", "domain.name", "is not set, and domain.certificate_arn is",
        ),
    ],
)  # fmt: skip
def test_each_clash_says_what_where_and_how_to_mend_it(
    tmp_path: Path, text: str, severity: str, key: str, said: str
) -> None:
    (finding,) = findings(tmp_path, text)

    assert (finding.severity, finding.key) == (severity, f"endpoint.churn.{key}")
    assert said in finding.what
    assert finding.mend


def test_a_certificate_of_another_region_is_told_where_the_region_is_known(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, DOMAIN + PROD, "prod")

    assert finding.what == "the certificate is in eu-central-1, and the endpoint is in eu-west-1"
    assert findings(tmp_path, DOMAIN, "dev") == []


@pytest.mark.parametrize(
    "text",
    [
        '[endpoint.churn.domain]\nname = "https://churn.example.com"\n',
        '[endpoint.churn.domain]\nname = "localhost"\n',
        '[endpoint.churn.domain]\ncertificate_arn = "arn:aws:acm:eu-central-1:1:certificate/x"\n',
        '[endpoint.churn.waf]\nmanaged_rules = ["CommonRuleSet"]\n',
        "[endpoint.churn.waf]\nip_rate_limit = 9\n",
        'minimum_tls = "1.0"\n',
    ],
)
def test_what_aws_would_not_take_is_refused_with_what_is_allowed(tmp_path: Path, text: str) -> None:
    (tmp_path / "serinus.toml").write_text(BASE + text, encoding="utf-8")

    with pytest.raises(SettingsError, match="is not allowed; allowed: "):
        load_settings(tmp_path / "serinus.toml", "dev")
