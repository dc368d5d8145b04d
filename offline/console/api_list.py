"""The deployed APIs as the page's form needs them: paths, routes and authorization."""

from typing import Any

from serinus.offline.console.sources import Sources
from serinus.offline.http.api_documents import Document
from serinus.offline.http.lambda_uri import FunctionTarget, arn_target, target_of
from serinus.offline.http.request import MOUNT
from serinus.offline.services.apigateway.published import PublishedRestStage
from serinus.offline.services.apigatewayv2.integrations import lambda_of
from serinus.offline.services.apigatewayv2.published import PublishedHttpStage
from serinus.offline.services.apigatewayv2.service import DEFAULT_STAGE


def apis(sources: Sources) -> list[dict[str, Any]]:
    """One entry a stage, of REST and HTTP APIs."""
    return [
        *map(_rest, sources.rest_apis.all_published()),
        *map(_http, sources.http_apis.all_published()),
    ]


def _rest(published: PublishedRestStage) -> dict[str, Any]:
    variables = published.stage.get("variables") or {}
    stage_name = published.stage["stageName"]
    methods = [
        api_method
        for resource in published.definition.resources.values()
        for api_method in resource.methods.values()
    ]
    return {
        "id": published.api_id,
        "name": published.api.get("name", published.api_id),
        "region": published.region,
        "stage": stage_name,
        "path": f"{MOUNT}{published.api_id}/{stage_name}",
        "routes": [
            _route(resource.path, method, _rest_target(document, variables))
            for resource in published.definition.resources.values()
            for method, document in resource.methods.items()
        ],
        "authorization": sorted(
            {_required_auth(api_method) for api_method in methods}
            | {"API_KEY" for api_method in methods if api_method.get("apiKeyRequired")}
        ),
        "keys": [
            {"name": client.key.get("name") or client.key["id"], "value": value}
            for value, client in published.clients.items()
        ],
    }


def _http(published: PublishedHttpStage) -> dict[str, Any]:
    api, stage_name = published.api, published.stage["StageName"]
    deployment = published.deployment
    routes = list(deployment.routes.values()) if deployment else []
    integrations = deployment.integrations if deployment else {}
    variables = published.stage.get("StageVariables") or {}
    return {
        "id": api["ApiId"],
        "name": api["Name"],
        "region": published.region,
        "stage": stage_name,
        "path": f"{MOUNT}{api['ApiId']}" + ("" if stage_name == DEFAULT_STAGE else f"/{stage_name}"),
        "routes": [
            _route(path, method, _http_target(integrations, route, variables))
            for route in routes
            for method, _, path in [route["RouteKey"].rpartition(" ")]
        ],
        "authorization": sorted({_required_auth(route) for route in routes}),
        "keys": [],
    }


def _required_auth(method: dict[str, Any]) -> str:
    """The authorization of a REST API's method or an HTTP API's route: NONE, AWS_IAM, CUSTOM, JWT."""
    return str(method.get("authorizationType") or method.get("AuthorizationType") or "NONE")


def _rest_target(method: dict[str, Any], variables: dict[str, str]) -> FunctionTarget | None:
    return target_of((method.get("methodIntegration") or {}).get("uri") or "", variables)


def _http_target(
    integrations: dict[str, Document], route: dict[str, Any], variables: dict[str, str]
) -> FunctionTarget | None:
    integration = integrations.get((route.get("Target") or "").rpartition("/")[2])
    arn = lambda_of(integration) if integration else None
    return arn_target(arn, variables) if arn else None


def _route(path: str, method: str, target: FunctionTarget | None) -> dict[str, Any]:
    return {
        "path": path,
        "method": method or "ANY",
        "function": target.name if target else None,
        "qualifier": target.qualifier if target else None,
    }
