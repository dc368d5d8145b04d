"""Tags of functions, and the account's limits and usage.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
"""

from typing import Any

from serinus.offline.core import tags
from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.services.lambda_.archives import MAX_DIRECT_ZIP_BYTES, MAX_UNZIPPED_BYTES
from serinus.offline.services.lambda_.base import LambdaBase
from serinus.offline.services.lambda_.names import target_of

CODE_STORAGE_BYTES = 75 * 1024**3


class FunctionTagOperations(tags.ResourceTagOperations, LambdaBase):
    """TagResource, UntagResource, ListTags, GetAccountSettings."""

    async def list_tags(self, call: Call) -> dict[str, Any]:
        return {"Tags": dict(self.tags_of(call))}

    async def get_account_settings(self, call: Call) -> dict[str, Any]:
        functions = self.state.region(call.region).functions.values()
        used = sum(
            version.code_size_bytes for each in functions for version in (each.latest, *each.versions.values())
        )
        limit = self.context.config.account_concurrency
        reserved = sum(each.reserved_concurrency or 0 for each in functions)
        return {
            "AccountLimit": {
                "TotalCodeSize": CODE_STORAGE_BYTES,
                "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
                "CodeSizeZipped": MAX_DIRECT_ZIP_BYTES,
                "ConcurrentExecutions": limit,
                "UnreservedConcurrentExecutions": limit - reserved,
            },
            "AccountUsage": {"TotalCodeSize": used, "FunctionCount": len(functions)},
        }

    def tags_of(self, call: Call) -> dict[str, str]:
        arn = call.params["Resource"]
        if ":function:" not in arn:
            raise NotModelled(f"tags of the lambda resource {arn}")
        return self.function(call.region, target_of(arn).name).tags
