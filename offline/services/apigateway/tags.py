"""Tags of APIs, stages, keys and usage plans, by their ARN."""

from serinus.offline.core import tags
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document
from serinus.offline.services.apigateway.operations import ApiGatewayBase
from serinus.offline.services.apigateway.store import not_found


class RestTagOperations(tags.ResourceTagOperations, ApiGatewayBase):
    async def get_tags(self, call: Call) -> Document:
        return {"tags": dict(self.tags_of(call))}

    def tags_of(self, call: Call) -> dict[str, str]:
        tagged: dict[str, str] = self.tagged(call).setdefault("tags", {})
        return tagged

    def tagged(self, call: Call) -> Document:
        store = self.store(call)
        path = call.params["resourceArn"].partition("::/")[2].split("/")
        match path:
            case ["restapis", api_id]:
                return store.api(api_id).definition.settings
            case ["restapis", api_id, "stages", stage]:
                return store.api(api_id).stage(stage)
            case ["apikeys", key_id]:
                return store.key(key_id)
            case ["usageplans", plan_id]:
                return store.plan(plan_id).document
            case ["domainnames", name]:
                return self.domains.get(call.region, name).document
        raise not_found("resource ARN")
