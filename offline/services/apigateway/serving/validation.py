"""Request validation: required parameters, and bodies against models (JSON schema draft 4).

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
"""

import json
from typing import Any

from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from serinus.offline.http.errors import invalid_body, missing_parameters
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.parameters import request_parameter

Document = dict[str, Any]
MODEL_URL = "https://apigateway.amazonaws.com/restapis/{api_id}/models/{name}"


class RequestCheck:
    """One method's requirements for requests."""

    def __init__(self, method: Document, validator: Document, models: dict[str, Document], api_id: str) -> None:
        self._required: list[str] = []
        self._schemas: dict[str, Draft4Validator] = {}
        if validator["validateRequestParameters"]:
            parameters = method.get("requestParameters") or {}
            self._required = [name for name, required in parameters.items() if required]
        if validator["validateRequestBody"]:
            registry = model_registry(models, api_id)
            for content_type, name in (method.get("requestModels") or {}).items():
                schema = json.loads(models[name]["schema"])
                self._schemas[content_type] = Draft4Validator(schema, registry=registry)

    def check(self, exchange: RestExchange) -> None:
        """Raise `GatewayError` (400) for a missing parameter or a body that violates its model."""
        missing = [name for name in self._required if not request_parameter(name, exchange)]
        if missing:
            raise missing_parameters([name.split(".", 3)[3] for name in missing])
        content_type = (exchange.request.header("content-type") or "application/json").partition(";")[0].strip()
        schema = self._schemas.get(content_type)
        if schema is not None:
            check_body(exchange.request.body, schema)


def check_body(body: bytes, schema: Draft4Validator) -> None:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise invalid_body(f"[Unable to parse the request body: {error}]") from error
    findings = [error.message for error in schema.iter_errors(document)]
    if findings:
        raise invalid_body(f"[{', '.join(findings)}]")


def model_registry(models: dict[str, Document], api_id: str) -> Registry[Any]:
    """Every model under the URL by which other models refer to it."""
    return Registry().with_resources(
        (
            MODEL_URL.format(api_id=api_id, name=name),
            Resource.from_contents(json.loads(model["schema"]), default_specification=DRAFT4),
        )
        for name, model in models.items()
    )
