"""Tags of HTTP APIs, their stages and domain names, by their ARN."""

from serinus.offline.core import tags
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document
from serinus.offline.services.apigatewayv2.domain_names import HttpDomainNameOperations
from serinus.offline.services.apigatewayv2.operations import find_part
from serinus.offline.services.apigatewayv2.store import not_found


class HttpTagOperations(tags.ResourceTagOperations, HttpDomainNameOperations):
    async def get_tags(self, call: Call) -> Document:
        return {"Tags": dict(self.tags_of(call))}

    def tags_of(self, call: Call) -> dict[str, str]:
        tagged = self.tagged(call)
        kept: dict[str, str] = tagged.setdefault("tags" if "domainName" in tagged else "Tags", {})
        return kept

    def tagged(self, call: Call) -> Document:
        arn = call.params["ResourceArn"]
        match arn.partition("::/")[2].split("/"):
            case ["apis", api_id]:
                return self.store(call).api(api_id).document
            case ["apis", api_id, "stages", stage]:
                return find_part(self.store(call).api(api_id).stages, "Stage", stage)
            case ["domainnames", name]:
                return self.domains.get(call.region, name).document
        raise not_found("resource ARN", arn)
