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
        self._runtime = RUNTIMES[runtime]
        self._architecture = ARCHITECTURES[architecture]
        self.runtime = self._layer(
            "Runtime",
            f"{name}-runtime",
            runtime_zip,
            f"Serinus runtime, {runtime} {architecture}",
        )
        self.model = self._layer("Model", f"{name}-model", model_zip, model_description)
        self.hashes = (runtime_zip.sha256, model_zip.sha256)

    @property
    def layers(self) -> list[lambda_.ILayerVersion]:
        """In the order in which they are unpacked."""
        return [self.runtime, self.model]

    def _layer(self, construct_id: str, name: str, built: LayerZip, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            construct_id,
            layer_version_name=name,
            description=description,
            code=lambda_.Code.from_asset(str(built.path), asset_hash=built.sha256),
            compatible_runtimes=[self._runtime],
            compatible_architectures=[self._architecture],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
