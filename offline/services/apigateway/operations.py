"""Shared by all families of operations: the caller's region, responses, pages, rejections."""

import copy
from collections.abc import Iterable
from typing import Any

from moto.core.request import Request

from serinus.offline.core import pages
from serinus.offline.core.errors import NotModelled
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.protocol import AwsResponse
from serinus.offline.core.service import Call, Service
from serinus.offline.http.api_documents import Document, bad_request
from serinus.offline.http.custom_domains import CustomDomains
from serinus.offline.services.apigateway.store import RestApi, RestApiStore, stage_arn

DEFAULT_PAGE = 25
LARGEST_PAGE = 500


class ApiGatewayBase(Service):
    """Base of the families. Operations are coroutines without awaits: they run on the event loop, where
    the gateway reads the same store, so that no lock is needed."""

    name = "apigateway"
    missing_parameter = "BadRequestException"

    def __init__(self, context: CloudContext, domains: CustomDomains) -> None:
        super().__init__(context)
        self.domains = domains
        self.stores: dict[str, RestApiStore] = {}
        #: Grows with every change, so that the gateway can detect stale compiled stages.
        self.revision = 0

    def connect(self, ports: Ports) -> None:
        self._web_acls = ports.web_acls

    async def answer(self, request: Request, region: str, access_key: str) -> AwsResponse | None:
        try:
            return await super().answer(request, region, access_key)
        finally:
            if request.method != "GET":
                self.revision += 1

    def store(self, call: Call) -> RestApiStore:
        return self.stores.setdefault(call.region, RestApiStore())

    def drop_associations(self, call: Call, stage: str = "") -> None:
        """Drop the web ACL association of a deleted stage, or of all stages of a deleted API."""
        arn = stage_arn(call.region, call.params["restApiId"], stage)
        if stage:
            self._web_acls.drop_associations(call.region, lambda fronted: fronted == arn)
        else:
            self._web_acls.drop_associations(call.region, lambda fronted: fronted.startswith(arn))

    def api(self, call: Call) -> RestApi:
        return self.store(call).api(call.params["restApiId"])


def answered(document: Document, **changes: Any) -> Document:
    """A copy for the caller, without the members that AWS omits when unset."""
    document = copy.deepcopy(document) | changes
    return {name: value for name, value in document.items() if value is not None}


def replace(document: Document, new: Document) -> Document:
    """Replace the content of ``document`` with ``new``; returns a copy for the caller."""
    document.clear()
    document.update(new)
    return answered(document)


def pick_members(params: Document, *names: str) -> Document:
    """The members of ``params`` among ``names``."""
    return {name: copy.deepcopy(params[name]) for name in names if params.get(name) is not None}


def page(call: Call, documents: Iterable[Document], key: str = "items") -> Document:
    """One page of ``documents`` by ``limit`` and ``position`` (25 by default, 500 at most)."""
    limit = int(call.params.get("limit") or DEFAULT_PAGE)
    if not 0 < limit <= LARGEST_PAGE:
        raise bad_request(f"Invalid limit {limit}. Limit must be between 1 and {LARGEST_PAGE}")
    position = call.params.get("position")
    unknown = bad_request(f"Invalid position {position}")
    shown, more = pages.page(
        list(documents), limit, position, operation=call.operation, member="position", unknown=unknown
    )
    return {key: shown, **more}


def refuse(params: Document, unmodelled: dict[str, str]) -> None:
    """Raise `NotModelled` for the first parameter that this cloud does not model."""
    for name, meaning in unmodelled.items():
        if params.get(name):
            raise NotModelled(f"apigateway: {name} ({meaning})")
