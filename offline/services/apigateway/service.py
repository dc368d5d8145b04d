"""The service itself: all families of operations over one store per region.

Moto's API Gateway keeps no snapshot of a deployment, validates little and serves no requests, so this
implementation is entirely ours. HTTP APIs are another service (`apigatewayv2`).
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from serinus.offline.core.logs import LogWriter
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.http.custom_domains import CustomDomains, Domain
from serinus.offline.services.apigateway.account import AccountOperations
from serinus.offline.services.apigateway.api_keys import ApiKeyOperations
from serinus.offline.services.apigateway.authorizers import RestAuthorizerOperations
from serinus.offline.services.apigateway.deployments import RestDeploymentOperations
from serinus.offline.services.apigateway.domain_names import RestDomainNameOperations
from serinus.offline.services.apigateway.gateway_responses import GatewayResponseOperations
from serinus.offline.services.apigateway.integrations import RestIntegrationOperations
from serinus.offline.services.apigateway.methods import MethodOperations
from serinus.offline.services.apigateway.models import ModelOperations
from serinus.offline.services.apigateway.published import PublishedRestStage
from serinus.offline.services.apigateway.resources import ResourceOperations
from serinus.offline.services.apigateway.rest_apis import RestApiOperations
from serinus.offline.services.apigateway.stages import RestStageOperations
from serinus.offline.services.apigateway.store import RestApiStore
from serinus.offline.services.apigateway.tags import RestTagOperations
from serinus.offline.services.apigateway.usage_plans import UsagePlanOperations
from serinus.offline.services.apigateway.validators import ValidatorOperations


@dataclass(frozen=True, slots=True)
class ApiGatewaySnapshot:
    """A state folder's part: the stores by region, and the custom domains of REST and HTTP APIs by region."""

    stores: dict[str, RestApiStore]
    domains: dict[str, dict[str, Domain]]


class ApiGateway(
    RestApiOperations,
    ResourceOperations,
    MethodOperations,
    RestIntegrationOperations,
    ModelOperations,
    ValidatorOperations,
    RestAuthorizerOperations,
    GatewayResponseOperations,
    RestDeploymentOperations,
    RestStageOperations,
    ApiKeyOperations,
    UsagePlanOperations,
    RestDomainNameOperations,
    RestTagOperations,
    AccountOperations,
):
    """REST APIs, their stages, keys and usage plans."""

    def __init__(self, context: CloudContext, domains: CustomDomains) -> None:
        super().__init__(context, domains)
        #: Where the gateway writes the access logs of stages.
        self.logs = LogWriter(context)

    def connect(self, ports: Ports) -> None:
        super().connect(ports)
        self.logs.connect(ports.log_subscribers)

    async def start(self) -> None:
        self.logs.start(asyncio.get_running_loop())

    async def stop(self) -> None:
        self.logs.stop()

    def snapshot(self) -> ApiGatewaySnapshot:
        return ApiGatewaySnapshot(self.stores, self.domains.by_region)

    def restore(self, saved: ApiGatewaySnapshot) -> None:
        self.stores = saved.stores
        self.domains.by_region = saved.domains

    def stage_names(self, region: str, api_id: str) -> Collection[str] | None:
        """The names of an API's stages; None if the region has no such API."""
        store = self.stores.get(region)
        api = store.apis.get(api_id) if store else None
        return api.stages.keys() if api else None

    def published(self, api_id: str, stage_name: str) -> PublishedRestStage | None:
        """The stage ``stage_name`` of ``api_id`` as now served; None if it does not exist."""
        for region, store in self.stores.items():
            api = store.apis.get(api_id)
            if api is None or stage_name not in api.stages:
                continue
            stage = api.stages[stage_name]
            deployment = api.deployments[stage["deploymentId"]]
            return PublishedRestStage(
                region,
                api_id,
                api.definition.settings,
                stage,
                deployment.document["id"],
                deployment.definition,
                store.clients(api_id, stage_name),
            )
        return None

    def all_published(self) -> list[PublishedRestStage]:
        """Every stage of every API as now served."""
        stages = [
            self.published(api_id, stage_name)
            for store in list(self.stores.values())
            for api_id, api in list(store.apis.items())
            for stage_name in list(api.stages)
        ]
        return [published for published in stages if published is not None]
