"""How callers authenticate, in the OpenAPI document's terms."""

from typing import Any

#: By kind of `signals.AUTH_KINDS`. OpenAPI has no scheme for Signature Version 4; API Gateway exports it so
#: (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html).
_SCHEMES: dict[str, dict[str, Any]] = {
    "api_key": {"api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
    "iam": {
        "sigv4": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "AWS Signature Version 4 for the service execute-api.",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    },
    "jwt": {
        "jwt": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of the issuer that the endpoint trusts.",
        }
    },
    "public": {},
}

#: API Gateway's own responses, without the function, by status.
_REFUSALS = {
    "api_key": {"403": "The API key is missing, or is not one of this endpoint's."},
    "iam": {"403": "The signature is missing or wrong, or the caller is not authorized."},
    "jwt": {
        "401": "The token is missing, expired, or of another issuer or audience.",
        "403": "The token has none of the scopes that the endpoint requires.",
    },
    "public": {},
}
_ALWAYS_REFUSED = {"429": "More requests than the endpoint's limits allow."}


def schemes(auth: str) -> dict[str, Any]:
    """The document's securitySchemes; empty for a public endpoint."""
    return _SCHEMES[auth]


def requirements(auth: str) -> list[dict[str, list[str]]]:
    """The document's security: each scheme, or an empty list for a public endpoint."""
    return [{name: []} for name in _SCHEMES[auth]]


def with_refusals(paths: dict[str, Any], auth: str) -> dict[str, Any]:
    """``paths`` with API Gateway's own responses on every operation."""
    responses = {
        status: {
            "description": f"{text} Returned by API Gateway, not by the model.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
        for status, text in (_REFUSALS[auth] | _ALWAYS_REFUSED).items()
    }
    return {
        path: {
            method: {**operation, "responses": dict(sorted({**operation["responses"], **responses}.items()))}
            for method, operation in methods.items()
        }
        for path, methods in paths.items()
    }
