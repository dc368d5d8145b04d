"""Custom domain names and their path mappings: one store for REST and HTTP APIs, as on AWS."""

import re
from dataclasses import dataclass, field
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id

NAME = re.compile(r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")
CERTIFICATE = re.compile(r"^arn:aws[\w-]*:acm:(?P<region>[\w-]+):\d{12}:certificate/[\w-]+$")
KEY = re.compile(r"^[A-Za-z0-9$_.+!*'()-]+(/[A-Za-z0-9$_.+!*'()-]+)*$")
#: Hosted zones of API Gateway and CloudFront names, as Route 53 aliases require them.
HOSTED_ZONE, EDGE_HOSTED_ZONE = "Z1UJRXOUMOOFQ8", "Z2FDTNDATAQYW2"


@dataclass(slots=True)
class DomainMapping:
    """Maps paths below ``key`` ("" for all others) to ``stage``; None means that their next part names it."""

    id: str
    key: str
    api_id: str
    stage: str | None


@dataclass(slots=True)
class Domain:
    """``document`` is in the shape of a REST API's domain name."""

    document: Document
    mappings: dict[str, DomainMapping] = field(default_factory=dict)

    @property
    def name(self) -> str:
        name: str = self.document["domainName"]
        return name

    @property
    def regional(self) -> bool:
        return bool(self.document["endpointConfiguration"]["types"] == ["REGIONAL"])

    def find(self, path: str) -> DomainMapping | None:
        """The mapping with the longest key that is a prefix of ``path``, part by part."""
        candidates = [
            mapping
            for mapping in self.mappings.values()
            if not mapping.key or path == f"/{mapping.key}" or path.startswith(f"/{mapping.key}/")
        ]
        return max(candidates, key=lambda mapping: len(mapping.key), default=None)

    def map(self, key: str, api_id: str, stage: str | None) -> DomainMapping:
        """Add a mapping; raises `AwsError` for an invalid key or one in use."""
        self.check_key(key)
        mapping = DomainMapping(new_id(6), key, api_id, stage)
        self.mappings[mapping.id] = mapping
        return mapping

    def check_key(self, key: str, besides: DomainMapping | None = None) -> None:
        if key and not KEY.match(key):
            raise bad_request(f"Invalid base path {key!r}: letters, digits and $-_.+!*'() only")
        if any(other.key == key and other is not besides for other in self.mappings.values()):
            raise conflict("Base path already exists for this domain name")


class CustomDomains:
    """The custom domain names of every region, by their name."""

    def __init__(self) -> None:
        self.by_region: dict[str, dict[str, Domain]] = {}

    def of(self, region: str) -> dict[str, Domain]:
        return self.by_region.setdefault(region, {})

    def get(self, region: str, name: str) -> Domain:
        """The domain; raises NotFoundException."""
        try:
            return self.of(region)[name.lower()]
        except KeyError:
            raise AwsError("NotFoundException", "Invalid domain name identifier specified") from None

    def of_host(self, host: str) -> Domain | None:
        """The custom domain that a host belongs to, by its own name before a wildcard's."""
        for name in (host, f"*.{host.partition('.')[2]}"):
            for domains in self.by_region.values():
                if name in domains:
                    return domains[name]
        return None

    def create(self, region: str, name: str, kind: str, certificate: str | None, tags: Any) -> Domain:
        """Create a domain that is available at once; raises BadRequestException where AWS does.

        ``kind`` is EDGE or REGIONAL. Certificates are not looked up: this cloud does not use TLS.
        """
        if not NAME.match(name):
            raise bad_request(f"Invalid domain name: {name}")
        if name in self.of(region):
            raise bad_request("The domain name you provided already exists.")
        if kind == "PRIVATE":
            raise NotModelled("apigateway: private domain names", "Use REGIONAL or EDGE.")
        check_certificate(certificate, "us-east-1" if kind == "EDGE" else region)
        domain = self.of(region)[name] = Domain(_document(region, name, kind, certificate, tags))
        return domain

    def check_unmapped(self, region: str, api_id: str, stage: str | None = None) -> None:
        """Raise BadRequestException if a domain is still mapped to the API (or to its ``stage``)."""
        for domain in self.of(region).values():
            for mapping in domain.mappings.values():
                if mapping.api_id == api_id and stage in (None, mapping.stage):
                    what = "API" if stage is None else "stage"
                    raise bad_request(
                        f"Deleting {what} failed. Please remove all base path mappings related to the {what} in "
                        f"your domains ({domain.name})"
                    )


def _document(region: str, name: str, kind: str, certificate: str | None, tags: Any) -> Document:
    label = new_id(10)
    document: Document = {
        "domainName": name,
        "domainNameArn": f"arn:aws:apigateway:{region}::/domainnames/{name}",
        "domainNameStatus": "AVAILABLE",
        "endpointConfiguration": {"types": [kind], "ipAddressType": "ipv4"},
        "securityPolicy": "TLS_1_2",
        "routingMode": "BASE_PATH_MAPPING_ONLY",
        "tags": dict(tags or {}),
    }
    if kind == "EDGE":
        return document | {
            "certificateArn": certificate,
            "distributionDomainName": f"d{label}.cloudfront.net",
            "distributionHostedZoneId": EDGE_HOSTED_ZONE,
        }
    return document | {
        "regionalCertificateArn": certificate,
        "regionalDomainName": f"d-{label}.execute-api.{region}.amazonaws.com",
        "regionalHostedZoneId": HOSTED_ZONE,
    }


def check_certificate(arn: str | None, region: str) -> None:
    match = CERTIFICATE.match(arn or "")
    if match is None:
        raise bad_request(f"Invalid certificate ARN: {arn}; a certificate of ACM is needed")
    if match["region"] != region:
        raise bad_request(f"Invalid certificate ARN: {arn}; the certificate must be in {region}")
