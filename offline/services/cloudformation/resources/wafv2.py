"""AWS WAF in CloudFormation: WebACL, WebACLAssociation."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import members, missing_ok, retag
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

GONE = "WAFNonexistentItemException"


class WafWebAcl(ResourceType):
    type = "AWS::WAFv2::WebACL"
    modelled = words("DefaultAction Description Name Rules Scope Tags VisibilityConfig")
    attributes = words("Arn Capacity Id LabelNamespace")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        client = request.client("wafv2")
        name = request.properties.get("Name") or request.name(128)
        parameters = members(client, "CreateWebACL", _api_parameters(request) | {"Name": name})
        extra = {"Tags": to_pairs(request.tags)} if request.tags else {}
        summary = client.create_web_acl(**parameters, **extra)["Summary"]
        identity = f"{name}|{summary['Id']}|{parameters['Scope']}"
        request.register_id(identity)
        return ResourceState(identity, self._attributes(request, identity))

    def update(self, request: ResourceRequest) -> ResourceState:
        client, identifiers = request.client("wafv2"), _identifiers(request.identity)
        response = client.get_web_acl(**identifiers)
        parameters = members(client, "UpdateWebACL", _api_parameters(request))
        client.update_web_acl(**{**parameters, **identifiers}, LockToken=response["LockToken"])
        retag(client, request, ResourceArn=response["WebACL"]["ARN"])
        return ResourceState(request.identity, self._attributes(request, request.identity))

    def delete(self, request: ResourceRequest) -> None:
        client, identifiers = request.client("wafv2"), _identifiers(request.identity)
        with missing_ok(GONE):
            client.delete_web_acl(**identifiers, LockToken=client.get_web_acl(**identifiers)["LockToken"])

    def _attributes(self, request: ResourceRequest, identity: str) -> dict[str, Any]:
        response = request.client("wafv2").get_web_acl(**_identifiers(identity))["WebACL"]
        return {
            "Arn": response["ARN"],
            "Capacity": response["Capacity"],
            "Id": response["Id"],
            "LabelNamespace": response["LabelNamespace"],
        }


def _api_parameters(request: ResourceRequest) -> dict[str, Any]:
    return {key: value for key, value in request.properties.items() if key != "Tags"}


def _identifiers(identity: str) -> dict[str, str]:
    name, acl_id, scope = identity.split("|")
    return {"Name": name, "Id": acl_id, "Scope": scope}


class WebAclAssociation(ResourceType):
    type = "AWS::WAFv2::WebACLAssociation"
    modelled = words("ResourceArn WebACLArn")

    def create(self, request: ResourceRequest) -> ResourceState:
        properties = request.properties
        request.client("wafv2").associate_web_acl(
            WebACLArn=properties["WebACLArn"], ResourceArn=properties["ResourceArn"]
        )
        return ResourceState(f"{properties['WebACLArn']}|{properties['ResourceArn']}")

    def update(self, request: ResourceRequest) -> ResourceState:
        """Not reached: both properties require a new resource."""
        return ResourceState(request.identity)

    def delete(self, request: ResourceRequest) -> None:
        client, stage = request.client("wafv2"), request.identity.split("|")[1]
        with missing_ok(GONE):
            client.disassociate_web_acl(ResourceArn=stage)
