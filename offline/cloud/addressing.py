"""Finds the API and stage of a request.

https://{api}.execute-api.{region}.amazonaws.com/{stage}/...   a REST API, or a named stage of an HTTP API
https://{api}.execute-api.{region}.amazonaws.com/...           an HTTP API's stage $default
/_gateway/{api}/...                                            the same two, on the cloud's own address
a custom domain as Host                                        the stage to which the path is mapped
"""

from typing import Literal

from starlette.types import Scope

from serinus.offline.http.custom_domains import CustomDomains, Domain
from serinus.offline.http.request import Address, host_of, own_url, sent_path, staged
from serinus.offline.services.apigatewayv2.service import DEFAULT_STAGE, ApiGatewayV2

ApiKind = Literal["rest", "http"]


class Addressing:
    """Reads addresses by the present APIs and custom domains."""

    def __init__(self, http: ApiGatewayV2, domains: CustomDomains) -> None:
        self._http = http
        self._domains = domains

    def domain(self, scope: Scope) -> Domain | None:
        """The custom domain that a request's Host names, if any."""
        return self._domains.of_host(host_of(scope).partition(":")[0].rstrip(".").lower())

    def of(self, scope: Scope) -> tuple[ApiKind, Address] | None:
        """The address of a request and its kind of API; None if it addresses none."""
        domain = self.domain(scope)
        if domain is not None:
            return self._mapped(domain, scope)
        named = own_url(scope)
        if named is None:
            return None
        api_id, path = named
        stage, rest = staged(path)
        if not self._http.has(api_id):
            return "rest", Address(api_id, stage, rest)
        if self._http.stage_of_path(api_id, stage) == DEFAULT_STAGE:
            return "http", Address(api_id, DEFAULT_STAGE, path)
        return "http", Address(api_id, stage, rest)

    def _mapped(self, domain: Domain, scope: Scope) -> tuple[ApiKind, Address] | None:
        path = sent_path(scope)
        mapping = domain.find(path)
        if mapping is None:
            return None
        base_path = f"/{mapping.key}" if mapping.key else ""
        host = host_of(scope).partition(":")[0].rstrip(".").lower()
        rest, stage = path.removeprefix(base_path) or "/", mapping.stage
        if stage is None:
            stage, rest = staged(rest)
        kind: ApiKind = "http" if self._http.has(mapping.api_id) else "rest"
        return kind, Address(mapping.api_id, stage, rest, host, base_path)
