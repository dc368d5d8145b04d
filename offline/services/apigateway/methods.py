"""A resource's HTTP methods, their authorization and their responses."""

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, pick_members
from serinus.offline.services.apigateway.store import RestApi, not_found

HTTP_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"})
AUTHORIZATION_TYPES = frozenset({"NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"})
MODELLED_AUTHORIZATION = frozenset({"NONE", "AWS_IAM", "CUSTOM"})
SETTABLE = frozenset(
    {
        "authorizationType",
        "authorizerId",
        "authorizationScopes",
        "apiKeyRequired",
        "operationName",
        "requestParameters",
        "requestModels",
        "requestValidatorId",
    }
)


class MethodOperations(ApiGatewayBase):
    async def put_method(self, call: Call) -> Document:
        api = self.api(call)
        resource = api.resource(call.params["resourceId"])
        http_method = call.params["httpMethod"]
        if http_method not in HTTP_METHODS:
            raise bad_request(f"Invalid HTTP method specified: {http_method}. One of {sorted(HTTP_METHODS)}")
        if http_method in resource.methods:
            raise conflict("Method already exists for this resource")
        method = {"httpMethod": http_method, "apiKeyRequired": False} | pick_members(call.params, *SETTABLE)
        check_method(api, method)
        resource.methods[http_method] = method
        return answered(method)

    async def get_method(self, call: Call) -> Document:
        return answered(self.method_of(call))

    async def delete_method(self, call: Call) -> Document:
        self.method_of(call)
        del self.api(call).resource(call.params["resourceId"]).methods[call.params["httpMethod"]]
        return {}

    async def put_method_response(self, call: Call) -> Document:
        responses = self.method_of(call).setdefault("methodResponses", {})
        status = call.params["statusCode"]
        if status in responses:
            raise conflict("Response already exists for this resource")
        responses[status] = pick_members(call.params, "statusCode", "responseParameters", "responseModels")
        return answered(responses[status])

    async def get_method_response(self, call: Call) -> Document:
        return answered(self.method_response_of(call))

    async def delete_method_response(self, call: Call) -> Document:
        self.method_response_of(call)
        del self.method_of(call)["methodResponses"][call.params["statusCode"]]
        return {}

    def method_of(self, call: Call) -> Document:
        return self.api(call).method(call.params["resourceId"], call.params["httpMethod"])

    def method_response_of(self, call: Call) -> Document:
        try:
            response: Document = self.method_of(call).get("methodResponses", {})[call.params["statusCode"]]
        except KeyError:
            raise not_found("Response status code") from None
        return response


def check_method(api: RestApi, method: Document) -> None:
    """Raise for an authorization that AWS rejects or this cloud does not model, and for unknown names."""
    kind = method.get("authorizationType", "NONE")
    if kind not in AUTHORIZATION_TYPES:
        raise bad_request(f"Invalid authorization type specified: {kind}. One of {sorted(AUTHORIZATION_TYPES)}")
    if kind not in MODELLED_AUTHORIZATION:
        raise NotModelled(f"apigateway: authorizationType {kind}", "Use NONE, AWS_IAM or CUSTOM.")
    if kind == "CUSTOM" and method.get("authorizerId") not in api.definition.authorizers:
        raise bad_request("Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires one")
    validator = method.get("requestValidatorId")
    if validator is not None and validator not in api.definition.validators:
        raise bad_request("Invalid Request Validator identifier specified")
    for model in (method.get("requestModels") or {}).values():
        if model not in api.definition.models:
            raise bad_request(f"Invalid model identifier specified: {model}")
