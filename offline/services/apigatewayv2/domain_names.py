"""Domain names and API mappings of HTTP and REST APIs; the domains themselves are stored with REST's."""

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request
from serinus.offline.http.custom_domains import Domain, DomainMapping, check_certificate
from serinus.offline.services.apigatewayv2.operations import ApiGatewayV2Base, answered, page, refuse
from serinus.offline.services.apigatewayv2.store import not_found

UNMODELLED = {"MutualTlsAuthentication": "mutual TLS"}


class HttpDomainNameOperations(ApiGatewayV2Base):
    async def create_domain_name(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        settings = configuration(call)
        domain = self.domains.create(
            call.region,
            call.params["DomainName"],
            "REGIONAL",
            settings.get("CertificateArn"),
            call.params.get("Tags"),
        )
        domain.document["securityPolicy"] = settings.get("SecurityPolicy") or "TLS_1_2"
        return shown(domain)

    async def get_domain_name(self, call: Call) -> Document:
        return shown(self.domain(call))

    async def get_domain_names(self, call: Call) -> Document:
        return page(call, [shown(domain) for domain in self.domains.of(call.region).values()])

    async def update_domain_name(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        domain, settings = self.domain(call), configuration(call)
        arn = settings.get("CertificateArn") or domain.document.get("regionalCertificateArn")
        check_certificate(arn, call.region)
        domain.document["regionalCertificateArn"] = arn
        domain.document["securityPolicy"] = settings.get("SecurityPolicy") or domain.document["securityPolicy"]
        return shown(domain)

    async def delete_domain_name(self, call: Call) -> Document:
        del self.domains.of(call.region)[self.domain(call).name]
        return {}

    async def create_api_mapping(self, call: Call) -> Document:
        domain = self.domain(call)
        api_id, stage = call.params["ApiId"], call.params["Stage"]
        self.check_target(call, domain, api_id, stage)
        return shown_mapping(domain.map(call.params.get("ApiMappingKey") or "", api_id, stage))

    async def get_api_mapping(self, call: Call) -> Document:
        return shown_mapping(self.mapping(call))

    async def get_api_mappings(self, call: Call) -> Document:
        return page(call, [shown_mapping(mapping) for mapping in self.domain(call).mappings.values()])

    async def update_api_mapping(self, call: Call) -> Document:
        domain, mapping, settings = self.domain(call), self.mapping(call), call.params
        api_id, stage = settings.get("ApiId") or mapping.api_id, settings.get("Stage") or mapping.stage
        key = mapping.key if settings.get("ApiMappingKey") is None else settings["ApiMappingKey"]
        self.check_target(call, domain, api_id, stage or "")
        domain.check_key(key, besides=mapping)
        mapping.key, mapping.api_id, mapping.stage = key, api_id, stage
        return shown_mapping(mapping)

    async def delete_api_mapping(self, call: Call) -> Document:
        del self.domain(call).mappings[self.mapping(call).id]
        return {}

    def domain(self, call: Call) -> Domain:
        return self.domains.get(call.region, call.params["DomainName"])

    def mapping(self, call: Call) -> DomainMapping:
        try:
            return self.domain(call).mappings[call.params["ApiMappingId"]]
        except KeyError:
            raise not_found("API mapping", call.params["ApiMappingId"]) from None

    def check_unmapped(self, call: Call, stage: str | None = None) -> None:
        self.domains.check_unmapped(call.region, call.params["ApiId"], stage)

    def check_target(self, call: Call, domain: Domain, api_id: str, stage: str) -> None:
        """Raise BadRequestException unless the stage exists and may be mapped to the domain."""
        http = self.store(call).apis.get(api_id)
        if http is not None and not domain.regional:
            raise bad_request("Only REGIONAL domain names can be mapped to an HTTP API")
        stages = http.stages.keys() if http is not None else self._rest_stages.stage_names(call.region, api_id)
        if stages is None:
            raise bad_request(f"Invalid API identifier specified {api_id}")
        if stage not in stages:
            raise bad_request(f"Invalid stage identifier specified {stage}")


def configuration(call: Call) -> Document:
    """The one configuration of a domain; raises for kinds that only the REST API can create."""
    settings: list[Document] = call.params.get("DomainNameConfigurations") or []
    if len(settings) > 1:
        raise bad_request("Only one domain name configuration is supported")
    if settings and settings[0].get("EndpointType") not in (None, "REGIONAL"):
        raise bad_request("Only REGIONAL domain names can be managed through the API Gateway V2 API.")
    return settings[0] if settings else {}


def shown(domain: Domain) -> Document:
    document = domain.document
    regional = domain.regional
    own = {
        "ApiGatewayDomainName": document["regionalDomainName" if regional else "distributionDomainName"],
        "CertificateArn": document["regionalCertificateArn" if regional else "certificateArn"],
        "DomainNameStatus": document["domainNameStatus"],
        "EndpointType": document["endpointConfiguration"]["types"][0],
        "HostedZoneId": document["regionalHostedZoneId" if regional else "distributionHostedZoneId"],
        "IpAddressType": "ipv4",
        "SecurityPolicy": document["securityPolicy"],
    }
    return {
        "ApiMappingSelectionExpression": "$request.basepath",
        "DomainName": domain.name,
        "DomainNameArn": document["domainNameArn"],
        "DomainNameConfigurations": [own],
        "RoutingMode": document["routingMode"],
        "Tags": dict(document["tags"]),
    }


def shown_mapping(mapping: DomainMapping) -> Document:
    return answered(
        {
            "ApiMappingId": mapping.id,
            "ApiMappingKey": mapping.key,
            "ApiId": mapping.api_id,
            "Stage": mapping.stage,
        }
    )
