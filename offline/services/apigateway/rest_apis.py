"""REST APIs themselves: their names, endpoint types and binary media types."""

from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, new_id
from serinus.offline.services.apigateway.models import default_models
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, page, pick_members, refuse
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.store import Definition, Resource, RestApi

LARGEST_COMPRESSION_THRESHOLD = 10_485_760
UNMODELLED = {
    "cloneFrom": "copying another API",
    "policy": "resource policies of an API",
}
#: Stored and returned without effect: there is no TLS here.
TLS_SETTINGS = ("securityPolicy", "endpointAccessMode")
MUTABLE = frozenset(
    {
        "name",
        "description",
        "binaryMediaTypes",
        "minimumCompressionSize",
        "apiKeySource",
        "disableExecuteApiEndpoint",
        "endpointConfiguration",
        "version",
        *TLS_SETTINGS,
        *UNMODELLED,
    }
)


class RestApiOperations(ApiGatewayBase):
    async def create_rest_api(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        settings: Document = {
            "id": new_id(10),
            "createdDate": self.context.clock.now(),
            "apiKeySource": "HEADER",
            "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
            "disableExecuteApiEndpoint": False,
            "tags": {},
            "apiStatus": "AVAILABLE",
        } | pick_members(
            call.params,
            "name",
            "description",
            "version",
            "binaryMediaTypes",
            "minimumCompressionSize",
            "apiKeySource",
            "endpointConfiguration",
            "disableExecuteApiEndpoint",
            "tags",
            *TLS_SETTINGS,
        )
        check_settings(settings)
        root = Resource(new_id(10), None, None, "/")
        settings["rootResourceId"] = root.id
        definition = Definition(settings, {root.id: root}, default_models())
        self.store(call).apis[settings["id"]] = RestApi(definition)
        return answered(settings)

    async def get_rest_api(self, call: Call) -> Document:
        return answered(self.api(call).definition.settings)

    async def get_rest_apis(self, call: Call) -> Document:
        return page(call, [answered(api.definition.settings) for api in self.store(call).apis.values()])

    async def update_rest_api(self, call: Call) -> Document:
        settings = self.api(call).definition.settings
        changed = answered(settings)
        shape: Any = self.model.shape_for("RestApi")
        apply_patch(changed, call.params.get("patchOperations", []), shape, MUTABLE)
        refuse(changed, UNMODELLED)
        check_settings(changed)
        settings.clear()
        settings.update(changed)
        return answered(settings)

    async def delete_rest_api(self, call: Call) -> Document:
        store = self.store(call)
        store.api(call.params["restApiId"])
        self.domains.check_unmapped(call.region, call.params["restApiId"])
        for plan in store.plans.values():
            stages = plan.document["apiStages"]
            stages[:] = [stage for stage in stages if stage["apiId"] != call.params["restApiId"]]
        self.drop_associations(call)
        del store.apis[call.params["restApiId"]]
        return {}


def check_settings(settings: Document) -> None:
    """Raise BadRequestException for a setting outside AWS's range, NotModelled for a private API."""
    if not str(settings.get("name") or "").strip():
        raise bad_request("API Gateway requires a non-empty API name")
    policy = str(settings.get("securityPolicy", ""))
    if policy.startswith("SecurityPolicy_") and "endpointAccessMode" not in settings:
        raise bad_request(f"The security policy {policy} needs an endpoint access mode")
    size = settings.get("minimumCompressionSize")
    if size is not None and not 0 <= size <= LARGEST_COMPRESSION_THRESHOLD:
        raise bad_request(
            f"Invalid minimum compression size {size}, must be between 0 and {LARGEST_COMPRESSION_THRESHOLD}"
        )
    if settings["apiKeySource"] == "AUTHORIZER":
        raise NotModelled("apigateway: apiKeySource AUTHORIZER", "Use HEADER.")
    if settings["apiKeySource"] != "HEADER":
        raise bad_request(f"Invalid API key source {settings['apiKeySource']}; must be HEADER or AUTHORIZER")
    if "PRIVATE" in settings["endpointConfiguration"].get("types", []):
        raise NotModelled("apigateway: private endpoints", "Use REGIONAL or EDGE.")
