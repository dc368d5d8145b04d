"""AWS WAF in CloudFormation: WebACL, WebACLAssociation."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import members, missing_ok, retag
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words

GONE = "WAFNonexistentItemException"


class WebAcl(ResourceType):
    type = "AWS::WAFv2::WebACL"
    modelled = words("DefaultAction Description Name Rules Scope Tags VisibilityConfig")
    attributes = words("Arn Capacity Id LabelNamespace")
    taggable = True

    def create(self, request: Request) -> Made:
        client = request.client("wafv2")
        name = request.properties.get("Name") or request.name(128)
        given = members(client, "CreateWebACL", _given(request) | {"Name": name})
        extra = {"Tags": to_pairs(request.tags)} if request.tags else {}
        made = client.create_web_acl(**given, **extra)["Summary"]
        identity = f"{name}|{made['Id']}|{given['Scope']}"
        request.claim(identity)
        return Made(identity, self._attributes(request, identity))

    def update(self, request: Request) -> Made:
        client, place = request.client("wafv2"), _place(request.identity)
        found = client.get_web_acl(**place)
        given = members(client, "UpdateWebACL", _given(request))
        client.update_web_acl(**{**given, **place}, LockToken=found["LockToken"])
        retag(client, request, ResourceArn=found["WebACL"]["ARN"])
        return Made(request.identity, self._attributes(request, request.identity))

    def delete(self, request: Request) -> None:
        client, place = request.client("wafv2"), _place(request.identity)
        with missing_ok(GONE):
            client.delete_web_acl(**place, LockToken=client.get_web_acl(**place)["LockToken"])

    def _attributes(self, request: Request, identity: str) -> dict[str, Any]:
        found = request.client("wafv2").get_web_acl(**_place(identity))["WebACL"]
        return {
            "Arn": found["ARN"],
            "Capacity": found["Capacity"],
            "Id": found["Id"],
            "LabelNamespace": found["LabelNamespace"],
        }


def _given(request: Request) -> dict[str, Any]:
    return {key: value for key, value in request.properties.items() if key != "Tags"}


def _place(identity: str) -> dict[str, str]:
    name, found, scope = identity.split("|")
    return {"Name": name, "Id": found, "Scope": scope}


class WebAclAssociation(ResourceType):
    type = "AWS::WAFv2::WebACLAssociation"
    modelled = words("ResourceArn WebACLArn")

    def create(self, request: Request) -> Made:
        wanted = request.properties
        request.client("wafv2").associate_web_acl(WebACLArn=wanted["WebACLArn"], ResourceArn=wanted["ResourceArn"])
        return Made(f"{wanted['WebACLArn']}|{wanted['ResourceArn']}")

    def update(self, request: Request) -> Made:
        """Both properties need a new resource."""
        return Made(request.identity)

    def delete(self, request: Request) -> None:
        client, stage = request.client("wafv2"), request.identity.split("|")[1]
        with missing_ok(GONE):
            client.disassociate_web_acl(ResourceArn=stage)
