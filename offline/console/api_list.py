"""The deployed APIs as the page's form needs them: where they answer, by which routes, and with which key."""

from typing import TYPE_CHECKING, Any

from offline.gateway.lambda_uri import target_of
from offline.gateway.request import MOUNT

if TYPE_CHECKING:
    from offline.cloud.cloud import Cloud


def apis(cloud: "Cloud") -> list[dict[str, Any]]:
    """One entry a stage."""
    service: Any = cloud.services["apigateway"]
    return [
        _stage(service, api_id, stage_name)
        for store in list(service.stores.values())
        for api_id, api in list(store.apis.items())
        for stage_name in list(api.stages)
    ]


def _stage(service: Any, api_id: str, stage_name: str) -> dict[str, Any]:
    published = service.published(api_id, stage_name)
    variables = published.stage.get("variables") or {}
    return {
        "id": api_id,
        "name": published.api.get("name", api_id),
        "region": published.region,
        "stage": stage_name,
        "path": f"{MOUNT}{api_id}/{stage_name}",
        "routes": [
            _route(resource.path, method, document, variables)
            for resource in published.definition.resources.values()
            for method, document in resource.methods.items()
        ],
        "keys": [
            {"name": client.key.get("name") or client.key["id"], "value": value}
            for value, client in published.clients.items()
        ],
    }


def _route(path: str, method: str, document: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    target = target_of((document.get("methodIntegration") or {}).get("uri") or "", variables)
    return {
        "path": path,
        "method": method,
        "key_required": bool(document.get("apiKeyRequired")),
        "function": target.name if target else None,
        "qualifier": target.qualifier if target else None,
    }
