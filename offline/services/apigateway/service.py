"""The service itself: every family of operations over one store per region.

Moto's model of API Gateway keeps no snapshot of a deployment, validates little and serves no request, so
this one is ours, whole. HTTP APIs are another service (`apigatewayv2`).
"""

import asyncio
from typing import TYPE_CHECKING

from serinus.offline.core.logs import LogWriter
from serinus.offline.services.apigateway.account import AccountOperations
from serinus.offline.services.apigateway.api_keys import ApiKeyOperations
from serinus.offline.services.apigateway.authorizers import AuthorizerOperations
from serinus.offline.services.apigateway.deployments import DeploymentOperations
from serinus.offline.services.apigateway.domain_names import DomainNameOperations
from serinus.offline.services.apigateway.domains import Domain
from serinus.offline.services.apigateway.gateway_responses import GatewayResponseOperations
from serinus.offline.services.apigateway.integrations import IntegrationOperations
from serinus.offline.services.apigateway.methods import MethodOperations
from serinus.offline.services.apigateway.models import ModelOperations
from serinus.offline.services.apigateway.published import Published
from serinus.offline.services.apigateway.resources import ResourceOperations
from serinus.offline.services.apigateway.rest_apis import RestApiOperations
from serinus.offline.services.apigateway.stages import StageOperations
from serinus.offline.services.apigateway.store import RegionStore
from serinus.offline.services.apigateway.tags import TagOperations
from serinus.offline.services.apigateway.usage_plans import UsagePlanOperations
from serinus.offline.services.apigateway.validators import ValidatorOperations

if TYPE_CHECKING:
    from serinus.offline.cloud.cloud import Cloud


class ApiGateway(
    RestApiOperations,
    ResourceOperations,
    MethodOperations,
    IntegrationOperations,
    ModelOperations,
    ValidatorOperations,
    AuthorizerOperations,
    GatewayResponseOperations,
    DeploymentOperations,
    StageOperations,
    ApiKeyOperations,
    UsagePlanOperations,
    DomainNameOperations,
    TagOperations,
    AccountOperations,
):
    """REST APIs, their stages, keys and usage plans."""

    def __init__(self, cloud: "Cloud") -> None:
        super().__init__(cloud)
        #: Where the gateway writes the access logs of stages.
        self.logs = LogWriter(cloud.config)

    async def start(self) -> None:
        self.logs.start(asyncio.get_running_loop())

    async def stop(self) -> None:
        self.logs.stop()

    def snapshot(self) -> dict[str, RegionStore]:
        return self.stores

    def restore(self, saved: dict[str, RegionStore]) -> None:
        self.stores = saved

    def domain_of_host(self, host: str) -> Domain | None:
        """The custom domain that a host belongs to, by its own name before a wildcard's."""
        for name in (host, f"*.{host.partition('.')[2]}"):
            for store in self.stores.values():
                if name in store.domains:
                    return store.domains[name]
        return None

    def published(self, api_id: str, stage_name: str) -> Published | None:
        """What ``stage_name`` of ``api_id`` serves now; None if there is no such stage."""
        for region, store in self.stores.items():
            api = store.apis.get(api_id)
            if api is None or stage_name not in api.stages:
                continue
            stage = api.stages[stage_name]
            deployment = api.deployments[stage["deploymentId"]]
            return Published(
                region,
                api_id,
                api.definition.settings,
                stage,
                deployment.document["id"],
                deployment.definition,
                store.clients(api_id, stage_name),
            )
        return None
