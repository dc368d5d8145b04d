"""The account's API Gateway settings: the role that writes logs, and the account's throttle."""

from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, replace
from serinus.offline.services.apigateway.patching import apply_patch

#: Steady-state requests per second and burst of an account in one region.
#: Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
ACCOUNT_RATE_PER_S, ACCOUNT_BURST = 10_000.0, 5_000


class AccountOperations(ApiGatewayBase):
    async def get_account(self, call: Call) -> Document:
        return {
            "throttleSettings": {"rateLimit": ACCOUNT_RATE_PER_S, "burstLimit": ACCOUNT_BURST},
            "features": ["UsagePlans"],
            "apiKeyVersion": "4",
        } | answered(self.store(call).account)

    async def update_account(self, call: Call) -> Document:
        shape: Any = self.model.shape_for("Account")
        account = self.store(call).account
        changed = answered(account)
        apply_patch(changed, call.params.get("patchOperations", []), shape, frozenset({"cloudwatchRoleArn"}))
        replace(account, changed)
        return await self.get_account(call)
