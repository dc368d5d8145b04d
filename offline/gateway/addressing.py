"""Which stage of which API a request is for.

https://{api}.execute-api.{region}.amazonaws.com/{stage}/...   a REST API, or a named stage of an HTTP API
https://{api}.execute-api.{region}.amazonaws.com/...           an HTTP API's stage $default
/_gateway/{api}/...                                            the same two, on the cloud's own address
"""

from typing import Literal, cast

from starlette.types import Scope

from offline.cloud.cloud import Cloud
from offline.gateway.request import Address, own_url, staged
from offline.services.apigatewayv2.service import DEFAULT_STAGE, ApiGatewayV2

Kind = Literal["rest", "http"]


class Addressing:
    """Reads addresses by what the control planes hold now."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @property
    def _http(self) -> ApiGatewayV2:
        return cast(ApiGatewayV2, self._cloud.services["apigatewayv2"])

    def of(self, scope: Scope) -> tuple[Kind, Address] | None:
        """The address of a request and the kind of API there; None where there is none."""
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
