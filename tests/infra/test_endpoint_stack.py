import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template
from cfnlint.api import lint

from serinus.infra.assembly import create_app
from serinus.infra.names import OUTPUTS
from serinus.infra.stacks.endpoint_stack import EndpointStack

SNAPSHOTS = Path(__file__).with_name("snapshots")
REWRITE = "SERINUS_REWRITE_SNAPSHOTS"

DEFAULTS = '[project]\nname = "shop"\n\n[endpoint.churn]\n'
EVERYTHING = DEFAULTS + (
    "docs = true\nhot_route = false\nquota_requests = 100_000\nreserved_concurrency = 5\nmemory_mb = 1769\n"
    'log_retention_days = 365\ncors_origins = ["https://one.example", "https://two.example"]\n'
    'variables = { LEVEL = "debug" }\ntags = { team = "ml" }\n'
    "[endpoint.churn.monitor]\nenabled = true\n"
)
PROD = DEFAULTS + '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
MASKS = (
    (r"\b[0-9a-f]{64}\b", "<sha256>"),
    (r"\bchurn [0-9a-f]{12}\b", "churn <version>"),
    (r"(InferenceVersion|Alarms[A-Z][a-z]+)[0-9a-f]{12}[0-9A-F]{8}", r"\1<hash>"),
    (r"(RestApiDeployment[0-9A-F]{8})[0-9a-f]{32}", r"\1<hash>"),
)


@pytest.fixture
def stack_of(new_project: Callable[[str], Any]) -> Callable[..., EndpointStack]:
    """Makes the stack of a project with these settings."""

    def create(text: str, environment: str = "dev", graph: bytes = b"graph") -> EndpointStack:
        project = new_project(text)
        project.package("churn", environment, graph=graph)
        project.build()
        settings, endpoint, release = project.release(environment)
        return EndpointStack(create_app(), settings=settings, endpoint=endpoint, release=release)

    return create


@pytest.mark.parametrize(("name", "text"), [("defaults", DEFAULTS), ("everything", EVERYTHING)])
def test_the_template_is_as_reviewed(stack_of: Callable[..., EndpointStack], name: str, text: str) -> None:
    rendered = json.dumps(Template.from_stack(stack_of(text)).to_json(), indent=1, sort_keys=True) + "\n"
    for pattern, mask in MASKS:
        rendered = re.sub(pattern, mask, rendered)
    snapshot = SNAPSHOTS / f"endpoint_stack_{name}.json"
    if os.environ.get(REWRITE):
        snapshot.write_text(rendered, encoding="utf-8")

    assert rendered == snapshot.read_text(encoding="utf-8"), f"rewrite it with {REWRITE}=1 and review the change"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "environment"),
    [(DEFAULTS, "dev"), (EVERYTHING, "dev"), (PROD, "prod"), (DEFAULTS, "local")],
    ids=["defaults", "everything", "prod", "local"],
)
def test_cfn_lint_has_no_error_and_no_warning(
    stack_of: Callable[..., EndpointStack], text: str, environment: str
) -> None:
    template = Template.from_stack(stack_of(text, environment)).to_json()

    assert [str(match) for match in lint(json.dumps(template))] == []


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["python3.12", "python3.14"])
def test_cfn_lint_has_nothing_against_other_platforms(new_project: Callable[[str], Any], runtime: str) -> None:
    project = new_project(f'{DEFAULTS}architecture = "arm64"\nruntime = "{runtime}"\ncold_start = "snapstart"\n')
    project.package("churn")
    project.build(platform=(runtime, "arm64"))
    settings, endpoint, release = project.release()
    stack = EndpointStack(create_app(), settings=settings, endpoint=endpoint, release=release)

    assert [str(match) for match in lint(json.dumps(Template.from_stack(stack).to_json()))] == []


def test_the_outputs_are_those_that_the_cli_looks_for(stack_of: Callable[..., EndpointStack]) -> None:
    stack = stack_of(DEFAULTS)
    outputs = Template.from_stack(stack).to_json()["Outputs"]

    named = {getattr(OUTPUTS, name) for name in OUTPUTS.__dataclass_fields__}
    only_sometimes = {OUTPUTS.domain_url, OUTPUTS.hotfix}
    assert set(outputs) == named - only_sometimes
    assert outputs[OUTPUTS.model]["Value"] == "churn"
    assert re.fullmatch("[0-9a-f]{64}", outputs[OUTPUTS.model_version]["Value"])
    assert outputs[OUTPUTS.alias]["Value"] == "live"


def test_the_address_ends_with_the_stage(stack_of: Callable[..., EndpointStack]) -> None:
    template = Template.from_stack(stack_of(DEFAULTS)).to_json()
    (stage,) = (key for key, item in template["Resources"].items() if item["Type"] == "AWS::ApiGateway::Stage")

    assert template["Outputs"][OUTPUTS.url]["Value"]["Fn::Join"][1][-2:] == ["/", {"Ref": stage}]


def test_a_stack_bears_the_endpoints_name_and_tags(stack_of: Callable[..., EndpointStack]) -> None:
    stack = stack_of(EVERYTHING)

    assert stack.stack_name == "shop-dev-churn"
    assert stack.tags.tag_values() == {
        "serinus:project": "shop",
        "serinus:environment": "dev",
        "serinus:endpoint": "churn",
        "team": "ml",
    }


def test_settings_reach_the_function_as_its_environment(stack_of: Callable[..., EndpointStack]) -> None:
    Template.from_stack(stack_of(EVERYTHING)).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Environment": {
                "Variables": {
                    "SERINUS_ENDPOINT": "churn",
                    "SERINUS_ENVIRONMENT": "dev",
                    "SERINUS_MAX_ROWS": "1000",
                    "SERINUS_MAX_BODY_BYTES": "4000000",
                    "SERINUS_DOCS": "1",
                    "SERINUS_HOT_ROUTE": "0",
                    "SERINUS_CORS_ORIGINS": "https://one.example,https://two.example",
                    "OPENBLAS_NUM_THREADS": "1",
                    "ORT_DISABLE_TELEMETRY": "1",
                    "LEVEL": "debug",
                }
            }
        },
    )


def test_the_function_runs_on_the_runtime_layer_and_the_model_layer(
    stack_of: Callable[..., EndpointStack],
) -> None:
    template = Template.from_stack(stack_of(DEFAULTS))
    named = {"Properties": {"FunctionName": "shop-dev-churn"}}
    (function,) = template.find_resources("AWS::Lambda::Function", named).values()

    layers = {layer["Ref"] for layer in function["Properties"]["Layers"]}
    assert layers == set(template.find_resources("AWS::Lambda::LayerVersion"))
    assert len(layers) == 2


def test_an_environment_with_a_place_deploys_nowhere_else(stack_of: Callable[..., EndpointStack]) -> None:
    stack = stack_of(PROD, "prod")

    assert (stack.account, stack.region) == ("123456789012", "eu-central-1")


def test_another_model_is_another_version(stack_of: Callable[..., EndpointStack]) -> None:
    before, after = stack_of(DEFAULTS), stack_of(DEFAULTS, graph=b"trained again")

    assert before.inference.version_hash != after.inference.version_hash


@pytest.mark.parametrize(
    "setting",
    [
        "rate_limit_per_s = 7",
        "quota_requests = 9",
        'tags = { a = "b" }',
        "reserved_concurrency = 2",
        "log_retention_days = 1",
    ],
)
def test_settings_that_decide_no_answer_make_no_version(
    stack_of: Callable[..., EndpointStack], setting: str
) -> None:
    before, after = stack_of(DEFAULTS), stack_of(DEFAULTS + setting + "\n")

    assert before.inference.version_hash == after.inference.version_hash
