"""The service itself: all families of operations over one store per region.

Moto's HTTP APIs keep no deployments, validate little and serve no requests, so this implementation is entirely
ours.
"""

from serinus.offline.services.apigatewayv2.apis import ApiOperations
from serinus.offline.services.apigatewayv2.authorizers import HttpAuthorizerOperations
from serinus.offline.services.apigatewayv2.deployments import HttpDeploymentOperations
from serinus.offline.services.apigatewayv2.integrations import HttpIntegrationOperations
from serinus.offline.services.apigatewayv2.published import PublishedHttpStage
from serinus.offline.services.apigatewayv2.routes import RouteOperations
from serinus.offline.services.apigatewayv2.stages import HttpStageOperations
from serinus.offline.services.apigatewayv2.store import HttpApiStore
from serinus.offline.services.apigatewayv2.tags import HttpTagOperations

DEFAULT_STAGE = "$default"


class ApiGatewayV2(
    ApiOperations,
    RouteOperations,
    HttpIntegrationOperations,
    HttpAuthorizerOperations,
    HttpStageOperations,
    HttpDeploymentOperations,
    HttpTagOperations,
):
    """HTTP APIs and their stages."""

    def snapshot(self) -> dict[str, HttpApiStore]:
        return self.stores

    def restore(self, saved: dict[str, HttpApiStore]) -> None:
        self.stores = saved

    def has(self, api_id: str) -> bool:
        return any(api_id in store.apis for store in self.stores.values())

    def stage_of_path(self, api_id: str, first_part: str) -> str:
        """The stage of a path under the API's own URL: its first part if that is a stage, else $default."""
        for store in self.stores.values():
            api = store.apis.get(api_id)
            if api is not None and first_part != DEFAULT_STAGE and first_part in api.stages:
                return first_part
        return DEFAULT_STAGE

    def published(self, api_id: str, stage_name: str) -> PublishedHttpStage | None:
        """The stage ``stage_name`` of ``api_id`` as now served; None if it does not exist."""
        for region, store in self.stores.items():
            api = store.apis.get(api_id)
            if api is None or stage_name not in api.stages:
                continue
            stage = api.stages[stage_name]
            deployment = api.deployments.get(stage.get("DeploymentId") or "")
            return PublishedHttpStage(region, api.document, stage, deployment)
        return None

    def all_published(self) -> list[PublishedHttpStage]:
        """Every stage of every API as now served."""
        stages = [
            self.published(api_id, stage_name)
            for store in list(self.stores.values())
            for api_id, api in list(store.apis.items())
            for stage_name in list(api.stages)
        ]
        return [published for published in stages if published is not None]
