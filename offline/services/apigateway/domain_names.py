"""Domain names and base path mappings of REST APIs."""

from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request
from serinus.offline.http.custom_domains import Domain, DomainMapping, check_certificate
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, page, refuse, replace
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.store import not_found

UNMODELLED = {
    "mutualTlsAuthentication": "mutual TLS",
    "ownershipVerificationCertificateArn": "mutual TLS",
    "policy": "private domain names",
    "certificateBody": "certificates that are not in ACM",
    "regionalCertificateName": "certificates that are not in ACM",
}
MUTABLE = frozenset({"certificateArn", "regionalCertificateArn", "securityPolicy", "endpointAccessMode"})
#: The API's name of the mapping of all paths without another.
NONE = "(none)"
PATCHABLE = {"/restapiid": "restApiId", "/stage": "stage", "/basepath": "basePath"}


class RestDomainNameOperations(ApiGatewayBase):
    async def create_domain_name(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        kind = ((call.params.get("endpointConfiguration") or {}).get("types") or ["EDGE"])[0]
        certificate = call.params.get("certificateArn" if kind == "EDGE" else "regionalCertificateArn")
        domain = self.domains.create(
            call.region, call.params["domainName"], kind, certificate, call.params.get("tags")
        )
        domain.document["securityPolicy"] = call.params.get("securityPolicy") or "TLS_1_2"
        if call.params.get("endpointAccessMode"):
            domain.document["endpointAccessMode"] = call.params["endpointAccessMode"]
        return answered(domain.document)

    async def get_domain_name(self, call: Call) -> Document:
        return answered(self.domain(call).document)

    async def get_domain_names(self, call: Call) -> Document:
        return page(call, [answered(domain.document) for domain in self.domains.of(call.region).values()])

    async def update_domain_name(self, call: Call) -> Document:
        domain = self.domain(call)
        changed = answered(domain.document)
        shape: Any = self.model.shape_for("DomainName")
        apply_patch(changed, call.params.get("patchOperations", []), shape, MUTABLE)
        if domain.regional:
            check_certificate(changed.get("regionalCertificateArn"), call.region)
        else:
            check_certificate(changed.get("certificateArn"), "us-east-1")
        return replace(domain.document, changed)

    async def delete_domain_name(self, call: Call) -> Document:
        del self.domains.of(call.region)[self.domain(call).name]
        return {}

    async def create_base_path_mapping(self, call: Call) -> Document:
        domain, stage = self.domain(call), call.params.get("stage") or None
        self.check_target(call, call.params["restApiId"], stage)
        key = call.params.get("basePath") or NONE
        if "/" in key:
            raise bad_request("API Gateway V1 doesn't support the slash character (/) in base path mappings.")
        return shown(domain.map("" if key == NONE else key, call.params["restApiId"], stage))

    async def get_base_path_mapping(self, call: Call) -> Document:
        return shown(self.mapping(call))

    async def get_base_path_mappings(self, call: Call) -> Document:
        return page(call, [shown(mapping) for mapping in self.domain(call).mappings.values()])

    async def update_base_path_mapping(self, call: Call) -> Document:
        domain, mapping = self.domain(call), self.mapping(call)
        changed = shown(mapping)
        for operation in call.params.get("patchOperations", []):
            name = PATCHABLE.get(operation["path"].lower())
            if name is None or operation["op"] != "replace":
                raise bad_request(f"Invalid patch path '{operation['path']}' specified for op '{operation['op']}'")
            changed[name] = operation["value"]
        self.check_target(call, changed["restApiId"], changed.get("stage"))
        key = "" if changed["basePath"] == NONE else changed["basePath"]
        domain.check_key(key, besides=mapping)
        mapping.key, mapping.api_id, mapping.stage = key, changed["restApiId"], changed.get("stage")
        return shown(mapping)

    async def delete_base_path_mapping(self, call: Call) -> Document:
        del self.domain(call).mappings[self.mapping(call).id]
        return {}

    def domain(self, call: Call) -> Domain:
        return self.domains.get(call.region, call.params["domainName"])

    def mapping(self, call: Call) -> DomainMapping:
        base_path = "" if call.params["basePath"] == NONE else call.params["basePath"]
        for mapping in self.domain(call).mappings.values():
            if mapping.key == base_path:
                return mapping
        raise not_found("base path mapping")

    def check_target(self, call: Call, api_id: str, stage: str | None) -> None:
        api = self.store(call).apis.get(api_id)
        if api is None:
            raise bad_request("Invalid REST API identifier specified")
        if stage is not None and stage not in api.stages:
            raise bad_request("Invalid stage identifier specified")


def shown(mapping: DomainMapping) -> Document:
    return answered({"basePath": mapping.key or NONE, "restApiId": mapping.api_id, "stage": mapping.stage})
