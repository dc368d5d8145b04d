"""cdk-nag's AwsSolutions and Serverless packs over endpoints' and shared stacks, in every shape of settings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest

from serinus.infra.assembly import create_app
from serinus.infra.nag import ACKNOWLEDGEMENTS
from serinus.infra.stacks.endpoint_stack import EndpointStack
from serinus.infra.stacks.shared_stack import SharedStack

DEFAULTS = '[project]\nname = "shop"\n\n[endpoint.churn]\n'
FULL = (
    'docs = true\ncors_origins = ["https://one.example"]\nquota_requests = 1000\ncold_start = "provisioned"\n'
    "[endpoint.churn.provisioned]\nenvironments = 1\nmaximum = 3\n"
    '[endpoint.churn.rollout]\nstrategy = "blue_green"\n'
)
HTTP = (
    'front = "http"\nauth = "jwt"\ndocs = true\ncors_origins = ["https://one.example"]\n'
    '[endpoint.churn.jwt]\nissuer = "https://issuer.example"\naudience = ["serving"]\n'
)
EDGE = (
    'tracing = true\nminimum_tls = "1.3"\n[endpoint.churn.waf]\nip_rate_limit = 500\n'
    '[endpoint.churn.domain]\nname = "churn.example.com"\nhosted_zone_id = "Z0123456789ABC"\n'
    'certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"\n'
)
EDGE_HTTP = EDGE.replace("[endpoint.churn.waf]\nip_rate_limit = 500\n", "").replace("1.3", "1.2")
KEY = 'encryption_key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"\n'
SHARED = (
    '[operations]\nemails = ["ml@example.com"]\ndashboard = true\n'
    '[operations.slack]\nworkspace_id = "T0123456789"\nchannel_id = "C0123456789"\n'
)
SHARED_KEY = "[operations]\n" + KEY
PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
SHAPES = {
    "defaults": (DEFAULTS, "dev"),
    "full": (DEFAULTS + FULL, "dev"),
    "linear": (DEFAULTS + '[endpoint.churn.rollout]\nstrategy = "linear"\n', "dev"),
    "snapstart": (DEFAULTS + 'cold_start = "snapstart"\n', "dev"),
    "prod": (DEFAULTS + PROD, "prod"),
    "monitored": (DEFAULTS + "[endpoint.churn.monitor]\nenabled = true\n", "dev"),
    "monitored_own_key": (DEFAULTS + "[endpoint.churn.monitor]\nenabled = true\n" + SHARED_KEY, "dev"),
    "local": (DEFAULTS, "local"),
    "http_jwt": (DEFAULTS + HTTP, "dev"),
    "http_iam": (DEFAULTS + 'front = "http"\nauth = "iam"\n', "dev"),
    "http_public": (DEFAULTS + 'front = "http"\nauth = "public"\n', "dev"),
    "rest_edge": (DEFAULTS + EDGE, "dev"),
    "http_edge": (DEFAULTS + 'front = "http"\nauth = "iam"\n' + EDGE_HTTP, "dev"),
    "own_key": (DEFAULTS + KEY, "dev"),
    "rest_logs": (DEFAULTS + "access_logs = true\nretain_logs = true\n", "dev"),
    "shared": (DEFAULTS + SHARED, "dev"),
    "rest_iam": (DEFAULTS + 'auth = "iam"\ndocs = true\n', "dev"),
    "rest_public": (DEFAULTS + 'auth = "public"\n', "dev"),
}
Nag = Callable[[str, str], set[tuple[str, str]]]


@pytest.fixture
def nag(new_project: Callable[[str], Any], tmp_path: Path) -> Nag:
    """Synthesizes a project under both packs; returns (finding, path of its construct below the stack)."""

    def run(text: str, environment: str) -> set[tuple[str, str]]:
        project = new_project(text)
        project.package("churn", environment)
        project.build()
        settings, endpoint, release = project.release(environment)
        app = create_app(tmp_path / "assembly")
        EndpointStack(app, settings=settings, endpoint=endpoint, release=release)
        if settings.shared_stack:
            layer = release.runtime_layer
            SharedStack(app, name=settings.shared_stack, settings=settings, runtime_zip=layer)
        packs = [cdk_nag.AwsSolutionsChecks(app), cdk_nag.ServerlessChecks(app)]
        cdk.Validations.of(app).add_plugins(*packs)
        report = Path(app.outdir) / "validation-report.json"
        try:
            app.synth()
        except RuntimeError:
            assert report.is_file()
        return findings(json.loads(report.read_text())) if report.is_file() else set()

    return run


def findings(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (f"{pack['pluginName']}::{violation['ruleName']}", place["constructPath"].partition("/")[2])
        for pack in report["pluginReports"]
        for violation in pack["violations"]
        for place in violation["violatingConstructs"]
    }


@pytest.mark.slow
@pytest.mark.parametrize(("text", "environment"), SHAPES.values(), ids=SHAPES)
def test_every_finding_is_acknowledged(nag: Nag, text: str, environment: str) -> None:
    assert nag(text, environment) == set()


@pytest.mark.slow
def test_every_acknowledgement_is_of_a_finding(nag: Nag, monkeypatch: pytest.MonkeyPatch) -> None:
    for stack in ("endpoint_stack", "shared_stack"):
        monkeypatch.setattr(f"serinus.infra.stacks.{stack}.acknowledge_findings", lambda *_: None)
    found = {
        found
        for shape in ("full", "http_jwt", "rest_edge", "shared", "monitored", "monitored_own_key")
        for found in nag(*SHAPES[shape])
    }
    function = "arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:shop-dev-churn"
    idle = {
        (one.identity(function), construct)
        for one in ACKNOWLEDGEMENTS
        for construct in one.constructs
        if not any(rule == one.identity(function) and path.startswith(f"{construct}/") for rule, path in found)
    }

    assert idle == set()


def test_every_acknowledgement_says_why() -> None:
    assert [one.rule for one in ACKNOWLEDGEMENTS if len(one.reason) < 40] == []
