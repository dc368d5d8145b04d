"""An endpoint: its layers, its function behind alias `live`, and the API in front of it."""

import aws_cdk as cdk
from constructs import Construct

from infra.constructs.http_api import HttpApi
from infra.constructs.inference_function import InferenceFunction
from infra.constructs.model_layers import ModelLayers
from infra.names import ALIAS, OUTPUTS, STAGE
from infra.release import Release
from infra.settings import Endpoint, Settings, function_environment


class EndpointStack(cdk.Stack):
    """The stack of ``endpoint`` in one environment, serving ``release``; outputs as in `infra.names`."""

    def __init__(self, scope: Construct, *, settings: Settings, endpoint: Endpoint, release: Release) -> None:
        super().__init__(
            scope,
            endpoint.stack_name,
            stack_name=endpoint.stack_name,
            description=f"Serinus endpoint {endpoint.name} ({settings.environment})",
            env=cdk.Environment(account=settings.account, region=settings.region),
            tags={
                "serinus:project": settings.project,
                "serinus:environment": settings.environment,
                "serinus:endpoint": endpoint.name,
                **endpoint.settings.tags,
            },
        )
        chosen = endpoint.settings
        described = f"{release.model.name} {release.model.short_version}"
        self.layers = ModelLayers(
            self,
            "Layers",
            name=endpoint.stack_name,
            runtime_zip=release.runtime_layer,
            model_zip=release.model_layer,
            runtime=chosen.runtime,
            architecture=chosen.architecture,
            model_description=described,
        )
        self.inference = InferenceFunction(
            self,
            "Inference",
            name=endpoint.stack_name,
            description=described,
            runtime=chosen.runtime,
            architecture=chosen.architecture,
            memory_mb=chosen.memory_mb,
            timeout_s=chosen.timeout_s,
            environment=function_environment(settings.environment, endpoint.name, chosen),
            layers=self.layers.layers,
            layer_hashes=self.layers.hashes,
            reserved_concurrency=chosen.reserved_concurrency,
            log_retention_days=chosen.log_retention_days,
            alias_name=ALIAS,
        )
        self.http = HttpApi(
            self,
            "Http",
            name=endpoint.stack_name,
            stage=STAGE,
            backend=self.inference.alias,
            docs=chosen.docs,
            cors_origins=chosen.cors_origins,
            rate_limit_per_s=chosen.rate_limit_per_s,
            burst_limit=chosen.burst_limit,
            quota_requests=chosen.quota_requests,
            quota_period=chosen.quota_period,
        )
        self._add_outputs(release)

    def _add_outputs(self, release: Release) -> None:
        values = {
            OUTPUTS.url: self.http.url,
            OUTPUTS.api_key_id: self.http.key.key_id,
            OUTPUTS.function_name: self.inference.function.function_name,
            OUTPUTS.function_version: self.inference.version.version,
            OUTPUTS.alias: self.inference.alias.alias_name,
            OUTPUTS.model: release.model.name,
            OUTPUTS.model_version: release.model.version,
        }
        for key, value in values.items():
            cdk.CfnOutput(self, key, value=value)
