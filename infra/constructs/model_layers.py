"""The two layers of an endpoint: the runtime, which changes monthly, and the model, which every release changes.

A replaced layer version may be deleted: function versions that use it keep it
(docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html), and CloudFormation deletes it only once the
update has succeeded. So a rollback finds its layers, and none pile up.
"""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from serinus.infra.constructs.platform import ARCHITECTURES, RUNTIMES
from serinus.infra.release import LayerZip


class ModelLayers(Construct):
    """Layer versions ``runtime`` and ``model`` made of built zips; the zips' hashes name the assets."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        runtime_zip: LayerZip,
        model_zip: LayerZip,
        runtime: str,
        architecture: str,
        model_description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.runtime = create_runtime_layer(
            self, "Runtime", name=name, built=runtime_zip, runtime=runtime, architecture=architecture
        )
        self.model = create_layer(
            self,
            "Model",
            name=f"{name}-model",
            built=model_zip,
            description=model_description,
            runtime=runtime,
            architecture=architecture,
        )
        self.hashes = (runtime_zip.sha256, model_zip.sha256)

    @property
    def layers(self) -> list[lambda_.ILayerVersion]:
        """In the order in which they are unpacked."""
        return [self.runtime, self.model]


def create_layer(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    built: LayerZip,
    description: str,
    runtime: str,
    architecture: str,
) -> lambda_.LayerVersion:
    """A version of layer ``name``, whose zip's hash names the asset."""
    return lambda_.LayerVersion(
        scope,
        construct_id,
        layer_version_name=name,
        description=description,
        code=lambda_.Code.from_asset(str(built.path), asset_hash=built.sha256),
        compatible_runtimes=[RUNTIMES[runtime]],
        compatible_architectures=[ARCHITECTURES[architecture]],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def create_runtime_layer(
    scope: Construct, construct_id: str, *, name: str, built: LayerZip, runtime: str, architecture: str
) -> lambda_.LayerVersion:
    """A version of ``name``'s runtime layer."""
    return create_layer(
        scope,
        construct_id,
        name=f"{name}-runtime",
        built=built,
        description=f"Serinus runtime, {runtime} {architecture}",
        runtime=runtime,
        architecture=architecture,
    )
