"""Request validators: whether a method's parameters and body are checked before the integration."""

from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, new_id
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, page, pick_members, replace
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.store import not_found

SETTABLE = ("name", "validateRequestBody", "validateRequestParameters")


class ValidatorOperations(ApiGatewayBase):
    async def create_request_validator(self, call: Call) -> Document:
        validator = {
            "id": new_id(6),
            "validateRequestBody": False,
            "validateRequestParameters": False,
        } | pick_members(call.params, *SETTABLE)
        self.api(call).definition.validators[str(validator["id"])] = validator
        return answered(validator)

    async def get_request_validator(self, call: Call) -> Document:
        return answered(self.validator_of(call))

    async def get_request_validators(self, call: Call) -> Document:
        return page(call, [answered(document) for document in self.api(call).definition.validators.values()])

    async def update_request_validator(self, call: Call) -> Document:
        validator = self.validator_of(call)
        changed = answered(validator)
        shape: Any = self.model.shape_for("RequestValidator")
        apply_patch(changed, call.params.get("patchOperations", []), shape, frozenset(SETTABLE))
        return replace(validator, changed)

    async def delete_request_validator(self, call: Call) -> Document:
        self.validator_of(call)
        del self.api(call).definition.validators[call.params["requestValidatorId"]]
        return {}

    def validator_of(self, call: Call) -> Document:
        try:
            return self.api(call).definition.validators[call.params["requestValidatorId"]]
        except KeyError:
            raise not_found("Request Validator") from None
