"""The endpoint's stack behind each front and under each auth: sound, its outputs, its alarm, its clashes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint as cfn_lint

from serinus.infra.errors import LintError, SettingsError
from serinus.infra.lint import Finding, lint
from serinus.infra.names import OUTPUTS
from serinus.infra.settings import load_settings
from serinus.infra.synth import synthesize

Templates = Callable[..., dict[str, Any]]
BASE = '[project]\nname = "shop"\n\n[endpoint.churn]\n'
PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
OPEN = 'docs = true\ncors_origins = ["https://app.example"]\n'
JWT = '[endpoint.churn.jwt]\nissuer = "https://issuer.example"\naudience = ["serving"]\n'
SHAPES = {
    ("rest", "api_key"): "",
    ("rest", "iam"): 'auth = "iam"\n' + OPEN,
    ("rest", "public"): 'auth = "public"\n' + OPEN,
    ("http", "iam"): 'front = "http"\nauth = "iam"\n' + OPEN,
    ("http", "jwt"): 'front = "http"\nauth = "jwt"\n' + OPEN + JWT + 'scopes = ["predict"]\n',
    ("http", "public"): 'front = "http"\nauth = "public"\n' + OPEN,
}


@pytest.mark.slow
def test_cfn_lint_has_no_error_and_no_warning(template_of: Templates) -> None:
    """Of the whole stack in its largest new shape; the fronts' own tests lint each of them alone."""
    template = template_of(SHAPES["http", "jwt"])

    assert [str(match) for match in cfn_lint(json.dumps(template))] == []


@pytest.mark.parametrize(("front", "auth"), SHAPES)
def test_the_outputs_say_front_and_auth_and_the_key_where_there_is_one(
    template_of: Templates, front: str, auth: str
) -> None:
    outputs = {name: output["Value"] for name, output in template_of(SHAPES[front, auth])["Outputs"].items()}

    assert (outputs[OUTPUTS.front], outputs[OUTPUTS.auth]) == (front, auth)
    assert (OUTPUTS.api_key_id in outputs) == (auth == "api_key")
    assert OUTPUTS.url in outputs


def test_the_address_of_an_http_api_is_its_host(template_of: Templates, resources_of: Any) -> None:
    template = template_of(SHAPES["http", "iam"])
    (api,) = resources_of(template, "AWS::ApiGatewayV2::Api")
    parts = template["Outputs"][OUTPUTS.url]["Value"]["Fn::Join"][1]

    assert parts[:3] == ["https://", {"Ref": api}, ".execute-api."]
    assert parts[-1] == {"Ref": "AWS::URLSuffix"}


@pytest.mark.parametrize(("front", "auth"), SHAPES)
def test_an_alarm_counts_the_5xx_responses_of_the_front(
    template_of: Templates, resources_of: Any, front: str, auth: str
) -> None:
    alarms = resources_of(template_of(SHAPES[front, auth]), "AWS::CloudWatch::Alarm").values()
    (alarm,) = (
        one["Properties"] for one in alarms if one["Properties"].get("AlarmName") == "shop-dev-churn-failing"
    )
    (metric,) = (
        query["MetricStat"]["Metric"]
        for query in alarm["Metrics"]
        if query.get("MetricStat", {}).get("Metric", {}).get("Namespace") == "AWS/ApiGateway"
    )
    names = {dimension["Name"] for dimension in metric["Dimensions"]}

    assert (metric["MetricName"], names) == (
        ("5XXError", {"ApiName", "Stage"}) if front == "rest" else ("5xx", {"ApiId", "Stage"})
    )


def test_no_resource_of_one_front_has_the_id_of_another(template_of: Templates) -> None:
    """CloudFormation changes no resource's type in place: a stack must be able to change its front."""
    rest, http = (template_of(SHAPES[front, "iam"])["Resources"] for front in ("rest", "http"))

    assert [name for name in rest.keys() & http.keys() if rest[name]["Type"] != http[name]["Type"]] == []


def findings(folder: Path, text: str, environment: str) -> list[Finding]:
    (folder / "serinus.toml").write_text(BASE + text, encoding="utf-8")
    return lint(folder, environment)


@pytest.mark.parametrize(
    ("text", "environment", "severity", "line", "key", "said"),
    [
        ('front = "http"\n', "dev", "error", 5, "front", "HTTP APIs have no API keys"),
        ('front = "http"\nauth = "api_key"\n', "dev", "error", 6, "auth", "HTTP APIs have no API keys"),
        ('auth = "jwt"\n' + JWT, "dev", "error", 5, "auth", "not of any issuer"),
        (
            'front = "http"\nauth = "jwt"\n[endpoint.churn.jwt]\nissuer = "https://issuer.example"\n',
            "dev", "error", 4, "jwt.audience", 'is not set, and auth is "jwt"',
        ),
        (
            'front = "http"\nauth = "jwt"\n[endpoint.churn.jwt]\naudience = ["serving"]\n',
            "dev", "error", 4, "jwt.issuer", 'is not set, and auth is "jwt"',
        ),
        (
            'front = "http"\nauth = "jwt"\n[endpoint.churn.jwt]\nissuer = "http://127.0.0.1:8000"\n'
            'audience = ["serving"]\n',
            "dev", "error", 8, "jwt.issuer", "only the offline cloud can reach",
        ),
        (
            '[endpoint.churn.jwt]\nissuer = "https://a.example"\n',
            "dev", "error", 6, "jwt.issuer", "no token is required",
        ),
        (
            'auth = "iam"\n[endpoint.churn.jwt]\nissuer = "https://a.example"\n',
            "dev", "warning", 7, "jwt.issuer", 'auth is "iam", so no token is required',
        ),
        ('auth = "iam"\nquota_requests = 9\n', "dev", "error", 6, "quota_requests", "counted by API key"),
        ('auth = "iam"\nquota_period = "day"\n', "dev", "warning", 6, "quota_period", "so there is no quota"),
        ('auth = "public"\n' + PROD, "prod", "warning", 5, "auth", "up to 100 requests per second in total"),
    ],
)  # fmt: skip
def test_each_clash_says_what_where_and_how_to_mend_it(
    tmp_path: Path, text: str, environment: str, severity: str, line: int, key: str, said: str
) -> None:
    (finding,) = findings(tmp_path, text, environment)

    assert (finding.severity, finding.line, finding.key) == (severity, line, f"endpoint.churn.{key}")
    assert said in finding.what
    assert finding.mend


@pytest.mark.parametrize(("front", "auth"), SHAPES)
def test_what_stands_together_is_no_clash(tmp_path: Path, front: str, auth: str) -> None:
    assert findings(tmp_path, SHAPES[front, auth], "dev") == []


def test_an_issuer_on_this_machine_is_for_the_offline_cloud(tmp_path: Path) -> None:
    text = SHAPES["http", "jwt"].replace("https://issuer.example", "http://localhost:8000/issuer")

    assert findings(tmp_path, text, "local") == []


def test_a_public_endpoint_that_cannot_take_the_accounts_concurrency_is_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, 'auth = "public"\nreserved_concurrency = 20\n' + PROD, "prod") == []


def test_synth_refuses_a_clash(project: Any, tmp_path: Path) -> None:
    project.write_settings(BASE + 'auth = "jwt"\n' + JWT)

    with pytest.raises(LintError, match=r'line 5: endpoint\.churn\.auth: REST APIs accept .* Set front = "http"'):
        synthesize(project.folder, "dev", tmp_path / "out")


@pytest.mark.parametrize(
    ("issuer", "allowed"),
    [
        ("https://issuer.example", True),
        ("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a1B2c3", True),
        ("http://127.0.0.1:8000", True),
        ("http://issuer.example", False),
        ("http://localhost.example", False),
        ("issuer.example", False),
        ("https://issuer.example/?a=b", False),
        ("https://issuer.example/ ", False),
    ],
)
def test_an_issuer_is_an_https_address(tmp_path: Path, issuer: str, allowed: bool) -> None:
    table = f'[endpoint.churn.jwt]\nissuer = "{issuer}"\n'
    (tmp_path / "serinus.toml").write_text(BASE + table, encoding="utf-8")
    if allowed:
        assert load_settings(tmp_path / "serinus.toml", "dev").endpoints[0].settings.jwt.issuer == issuer
    else:
        with pytest.raises(SettingsError, match=r"line 6: endpoint\.churn\.jwt\.issuer .* is not an issuer"):
            load_settings(tmp_path / "serinus.toml", "dev")
