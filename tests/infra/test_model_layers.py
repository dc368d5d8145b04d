import hashlib
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from serinus.infra.constructs.model_layers import ModelLayers
from serinus.infra.release import LayerZip


@pytest.fixture
def template(tmp_path: Path) -> Template:
    def built(name: str) -> LayerZip:
        (tmp_path / name).write_bytes(name.encode())
        return LayerZip(tmp_path / name, hashlib.sha256(name.encode()).hexdigest())

    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Test")
    layers = ModelLayers(
        stack,
        "Layers",
        name="shop-dev-churn",
        runtime_zip=built("runtime.zip"),
        model_zip=built("model.zip"),
        runtime="python3.12",
        architecture="arm64",
        model_description="churn 0123456789ab",
    )
    assert layers.layers == [layers.runtime, layers.model]
    return Template.from_stack(stack)


def test_runtime_and_model_are_layers_apart(template: Template) -> None:
    found = template.find_resources("AWS::Lambda::LayerVersion").values()

    assert {layer["Properties"]["LayerName"] for layer in found} == {
        "shop-dev-churn-runtime",
        "shop-dev-churn-model",
    }
    assert len({layer["Properties"]["Content"]["S3Key"] for layer in found}) == 2


def test_layers_fit_one_platform_only(template: Template) -> None:
    template.all_resources_properties(
        "AWS::Lambda::LayerVersion",
        {"CompatibleRuntimes": ["python3.12"], "CompatibleArchitectures": ["arm64"]},
    )


def test_a_replaced_layer_goes_since_versions_that_use_it_keep_it(template: Template) -> None:
    template.all_resources(
        "AWS::Lambda::LayerVersion",
        Match.object_like({"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}),
    )


def test_the_model_layer_tells_its_model(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Lambda::LayerVersion", {"LayerName": "shop-dev-churn-model", "Description": "churn 0123456789ab"}
    )
