"""Gateway responses: an API's responses when the gateway itself rejects or fails a request."""

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request
from serinus.offline.http.response_types import BODY_TEMPLATE, RESPONSE_TYPES
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, pick_members
from serinus.offline.services.apigateway.store import RestApi, not_found

SETTABLE = ("statusCode", "responseParameters", "responseTemplates")


class GatewayResponseOperations(ApiGatewayBase):
    async def put_gateway_response(self, call: Call) -> Document:
        kind = checked_type(call)
        response = {
            "responseType": kind,
            "defaultResponse": False,
            "responseParameters": {},
            "responseTemplates": {"application/json": BODY_TEMPLATE},
        } | pick_members(call.params, *SETTABLE)
        check_parameters(response)
        self.api(call).definition.gateway_responses[kind] = response
        return with_status(response)

    async def get_gateway_response(self, call: Call) -> Document:
        return gateway_response(self.api(call), checked_type(call))

    async def get_gateway_responses(self, call: Call) -> Document:
        api = self.api(call)
        return {"items": [gateway_response(api, kind) for kind in RESPONSE_TYPES]}

    async def delete_gateway_response(self, call: Call) -> Document:
        responses = self.api(call).definition.gateway_responses
        if checked_type(call) not in responses:
            raise not_found("Gateway response type")
        del responses[call.params["responseType"]]
        return {}


def checked_type(call: Call) -> str:
    kind: str = call.params["responseType"]
    if kind not in RESPONSE_TYPES:
        raise bad_request(f"Invalid gateway response type {kind}. Must be one of {sorted(RESPONSE_TYPES)}")
    return kind


def check_parameters(response: Document) -> None:
    for name in response["responseParameters"]:
        if not name.startswith("gatewayresponse.header."):
            raise bad_request(f"Invalid response parameter '{name}': must begin with gatewayresponse.header.")


def gateway_response(api: RestApi, kind: str) -> Document:
    """The response configured for ``kind``, or AWS's default."""
    stored = api.definition.gateway_responses.get(kind)
    if stored is not None:
        return with_status(stored)
    return with_status(
        {
            "responseType": kind,
            "defaultResponse": True,
            "responseParameters": {},
            "responseTemplates": {"application/json": BODY_TEMPLATE},
        }
    )


def with_status(response: Document) -> Document:
    default = RESPONSE_TYPES[response["responseType"]]
    status = response.get("statusCode") or (str(default) if default else None)
    return answered(response, statusCode=status)
