"""Shared by all families of operations: the caller's region, responses, pages, automatic deployments."""

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from serinus.offline.core import pages
from serinus.offline.core.errors import NotModelled
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.service import Call, Service
from serinus.offline.http.api_documents import Document, bad_request, new_id
from serinus.offline.http.custom_domains import CustomDomains
from serinus.offline.services.apigatewayv2.store import HttpApi, HttpApiStore, not_found

if TYPE_CHECKING:
    from moto.core.request import Request

    from serinus.offline.core.protocol import AwsResponse

LARGEST_PAGE = 500


class ApiGatewayV2Base(Service):
    """Base of the families. Operations are coroutines without awaits: they run on the event loop, where
    the gateway reads the same store, so that no lock is needed."""

    name = "apigatewayv2"
    missing_parameter = "BadRequestException"

    def __init__(self, context: CloudContext, domains: CustomDomains) -> None:
        super().__init__(context)
        #: Saved with the REST APIs' state.
        self.domains = domains
        self.stores: dict[str, HttpApiStore] = {}
        #: Grows with every change, so that the gateway can detect stale compiled stages.
        self.revision = 0

    def connect(self, ports: Ports) -> None:
        self._rest_stages = ports.rest_stages

    async def answer(self, request: "Request", region: str, access_key: str) -> "AwsResponse | None":
        try:
            return await super().answer(request, region, access_key)
        finally:
            if request.method != "GET":
                self.revision += 1

    def store(self, call: Call) -> HttpApiStore:
        return self.stores.setdefault(call.region, HttpApiStore())

    def api(self, call: Call) -> HttpApi:
        return self.store(call).api(call.params["ApiId"])

    def deployed(self, api: HttpApi) -> None:
        """Deploy the API's present state to every stage with automatic deployments."""
        stages = [stage for stage in api.stages.values() if stage["AutoDeploy"]]
        if not stages:
            return
        document = self.new_deployment(automatic=True)
        api.freeze(document)
        for stage in stages:
            stage["DeploymentId"] = document["DeploymentId"]
            stage["LastDeploymentStatusMessage"] = (
                f"Successfully deployed stage with deployment ID '{document['DeploymentId']}'"
            )
        api.forget_unused()

    def new_deployment(self, *, automatic: bool, description: str | None = None) -> Document:
        return {
            "DeploymentId": new_id(6),
            "AutoDeployed": automatic,
            "CreatedDate": self.context.clock.now(),
            "DeploymentStatus": "DEPLOYED",
            "Description": description or ("Automatic deployment triggered by changes to the Api configuration"),
        }


def answered(document: Document) -> Document:
    """A copy for the caller, without the members that AWS omits when unset."""
    return {name: value for name, value in copy.deepcopy(document).items() if value is not None}


def pick_members(params: Mapping[str, Any], names: Iterable[str]) -> Document:
    """The members of ``params`` among ``names``."""
    return {name: copy.deepcopy(params[name]) for name in names if params.get(name) is not None}


def changed(document: Document, params: Mapping[str, Any], names: Iterable[str]) -> Document:
    """``document`` with an update's members; empty text unsets."""
    members = {name: None if value == "" else value for name, value in pick_members(params, names).items()}
    return answered(document | members)


def replace(document: Document, new: Document) -> Document:
    """Replace the content of ``document`` with ``new``; returns a copy for the caller."""
    document.clear()
    document.update(new)
    return answered(document)


def find_part(parts: Mapping[str, Document], kind: str, identity: str) -> Document:
    try:
        return parts[identity]
    except KeyError:
        raise not_found(kind, identity) from None


def page(call: Call, documents: Iterable[Document]) -> Document:
    """One page of ``documents`` by ``MaxResults`` and ``NextToken``."""
    listed = [answered(document) for document in documents]
    limit = int(call.params.get("MaxResults") or LARGEST_PAGE)
    if not 0 < limit <= LARGEST_PAGE:
        raise bad_request(f"Invalid maxResults {limit}; must be between 1 and {LARGEST_PAGE}")
    token = call.params.get("NextToken")
    unknown = bad_request(f"Invalid nextToken {token}")
    shown, more = pages.page(listed, limit, token, operation=call.operation, member="NextToken", unknown=unknown)
    return {"Items": shown, **more}


def refuse(params: Mapping[str, Any], unmodelled: Mapping[str, str]) -> None:
    """Raise `NotModelled` for the first parameter that this cloud does not model."""
    for name, meaning in unmodelled.items():
        if params.get(name):
            raise NotModelled(f"apigatewayv2: {name} ({meaning})")
