"""Models: JSON schemas for request bodies."""

import json
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, page, pick_members, replace
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.store import not_found

EMPTY_SCHEMA = """{
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title" : "Empty Schema",
  "type" : "object"
}"""
ERROR_SCHEMA = """{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Error Schema",
  "type" : "object",
  "properties" : {
    "message" : { "type" : "string" }
  }
}"""


def default_models() -> dict[str, Document]:
    """The two models that every new API has."""
    return {
        "Empty": default_model("Empty", "This is a default empty schema model", EMPTY_SCHEMA),
        "Error": default_model("Error", "This is a default error schema model", ERROR_SCHEMA),
    }


def default_model(name: str, description: str, schema: str) -> Document:
    return {
        "id": new_id(6),
        "name": name,
        "description": description,
        "schema": schema,
        "contentType": "application/json",
    }


class ModelOperations(ApiGatewayBase):
    async def create_model(self, call: Call) -> Document:
        models = self.api(call).definition.models
        name = call.params["name"]
        if not name.isalnum():
            raise bad_request(f"Model name must be alphanumeric: {name}")
        if name in models:
            raise conflict("Model name already exists for this REST API")
        model = {"id": new_id(6), "schema": "{}"} | pick_members(
            call.params, "name", "description", "schema", "contentType"
        )
        check_schema(model["schema"])
        models[name] = model
        return answered(model)

    async def get_model(self, call: Call) -> Document:
        return answered(self.model_of(call))

    async def get_models(self, call: Call) -> Document:
        return page(call, [answered(model) for model in self.api(call).definition.models.values()])

    async def update_model(self, call: Call) -> Document:
        model = self.model_of(call)
        changed = answered(model)
        shape: Any = self.model.shape_for("Model")
        apply_patch(changed, call.params.get("patchOperations", []), shape, frozenset({"description", "schema"}))
        check_schema(changed["schema"])
        return replace(model, changed)

    async def delete_model(self, call: Call) -> Document:
        self.model_of(call)
        definition = self.api(call).definition
        name = call.params["modelName"]
        for resource in definition.resources.values():
            for method in resource.methods.values():
                if name in (method.get("requestModels") or {}).values():
                    raise conflict(f"Cannot delete model '{name}', is referenced in a method of {resource.path}")
        del definition.models[name]
        return {}

    def model_of(self, call: Call) -> Document:
        try:
            return self.api(call).definition.models[call.params["modelName"]]
        except KeyError:
            raise not_found("Model Name") from None


def check_schema(schema: str) -> None:
    try:
        parsed = json.loads(schema)
    except ValueError as error:
        raise bad_request(f"Invalid model schema specified: {error}") from error
    if not isinstance(parsed, dict):
        raise bad_request("Invalid model schema specified: a schema is a JSON object")
