"""Resources: the tree of paths."""

import re

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
from serinus.offline.services.apigateway.operations import ApiGatewayBase, page
from serinus.offline.services.apigateway.store import Resource, RestApi

PLAIN_PART = re.compile(r"^[a-zA-Z0-9._\-:~$!,;=@'()*&]+$")
PARAMETER_PART = re.compile(r"^\{[a-zA-Z0-9._\-:]+\+?\}$")


class ResourceOperations(ApiGatewayBase):
    async def create_resource(self, call: Call) -> Document:
        api = self.api(call)
        parent = api.resource(call.params["parentId"])
        part = call.params["pathPart"]
        check_part(api, parent, part)
        resource = Resource(new_id(6), parent.id, part, f"{parent.path.rstrip('/')}/{part}")
        api.definition.resources[resource.id] = resource
        return resource.document(with_methods=True)

    async def get_resource(self, call: Call) -> Document:
        resource = self.api(call).resource(call.params["resourceId"])
        return resource.document(with_methods=embeds_methods(call))

    async def get_resources(self, call: Call) -> Document:
        resources = self.api(call).definition.resources.values()
        return page(call, [resource.document(with_methods=embeds_methods(call)) for resource in resources])

    async def delete_resource(self, call: Call) -> Document:
        api = self.api(call)
        resource = api.resource(call.params["resourceId"])
        if resource.parent_id is None:
            raise bad_request("Root resource cannot be deleted")
        for doomed in [resource, *descendants(api, resource)]:
            del api.definition.resources[doomed.id]
        return {}


def embeds_methods(call: Call) -> bool:
    return "methods" in (call.params.get("embed") or [])


def check_part(api: RestApi, parent: Resource, part: str) -> None:
    """Raise BadRequestException or ConflictException if ``part`` is not allowed under ``parent``."""
    if not (PLAIN_PART.match(part) or PARAMETER_PART.match(part)):
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-:~$!,;=@'()*& or a valid greedy path variable "
            "and curly braces at the beginning and the end."
        )
    if parent.path.endswith("+}"):
        raise bad_request(f"Cannot create a child of a resource with a greedy path variable: {parent.path}")
    siblings = [other for other in api.definition.resources.values() if other.parent_id == parent.id]
    if any(other.path_part == part for other in siblings):
        raise conflict("Another resource with the same parent already has this name: " + part)
    if part.startswith("{") and any(is_rival(other.path_part or "", part) for other in siblings):
        raise bad_request(f"A sibling of {part} already has a variable path part -- only one is allowed")


def is_rival(sibling: str, part: str) -> bool:
    return sibling.startswith("{") and sibling.endswith("+}") == part.endswith("+}")


def descendants(api: RestApi, resource: Resource) -> list[Resource]:
    children = [other for other in api.definition.resources.values() if other.parent_id == resource.id]
    return children + [further for child in children for further in descendants(api, child)]
