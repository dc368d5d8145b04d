"""How callers are let in, as the OpenAPI document says it."""

from typing import Any

#: By kind of `signals.AUTH_KINDS`. OpenAPI has no word for Signature Version 4: this is how API Gateway exports it
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

#: What API Gateway answers before the function is asked, by status.
_REFUSALS = {
    "api_key": {"403": "The key is missing, or not one of this endpoint."},
    "iam": {"403": "The signature is missing or wrong, or its caller may not call the endpoint."},
    "jwt": {
        "401": "The token is missing, expired, or not of the endpoint's issuer and audience.",
        "403": "The token has none of the scopes that the endpoint asks for.",
    },
    "public": {},
}
_ALWAYS_REFUSED = {"429": "More requests than the endpoint's limits allow."}


def schemes(auth: str) -> dict[str, Any]:
    """The document's securitySchemes; none where everybody is let in."""
    return _SCHEMES[auth]


def requirements(auth: str) -> list[dict[str, list[str]]]:
    """The document's security: each scheme, or an empty list where nothing is asked for."""
    return [{name: []} for name in _SCHEMES[auth]]


def with_refusals(paths: dict[str, Any], auth: str) -> dict[str, Any]:
    """``paths`` with API Gateway's own answers on every operation."""
    answers = {
        status: {
            "description": f"{text} API Gateway answers, not the model.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
        for status, text in (_REFUSALS[auth] | _ALWAYS_REFUSED).items()
    }
    return {
        path: {
            method: {**operation, "responses": dict(sorted({**operation["responses"], **answers}.items()))}
            for method, operation in methods.items()
        }
        for path, methods in paths.items()
    }
