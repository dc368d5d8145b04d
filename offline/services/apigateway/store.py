"""A region's REST APIs, keys and plans: documents in the shapes that AWS returns.

With AWS's own shapes, a response is a copy, an update a JSON patch and a deployment a deep copy.
"""

import copy
from dataclasses import dataclass, field

from serinus.offline.core.errors import AwsError
from serinus.offline.http.api_documents import Document
from serinus.offline.services.apigateway.usage import UsageLedger


def stage_arn(region: str, api_id: str, stage: str) -> str:
    """A stage's ARN in API Gateway's own policies and in AWS WAF."""
    return f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage}"


def not_found(what: str) -> AwsError:
    return AwsError("NotFoundException", f"Invalid {what} identifier specified")


@dataclass(slots=True)
class Resource:
    """One path of an API; ``methods`` by HTTP method, with integration and responses nested as on AWS."""

    id: str
    parent_id: str | None
    path_part: str | None
    path: str
    methods: dict[str, Document] = field(default_factory=dict)

    def document(self, *, with_methods: bool) -> Document:
        """The resource as AWS returns it; methods are complete only when embedded."""
        document: Document = {"id": self.id, "path": self.path}
        if self.parent_id is not None:
            document |= {"parentId": self.parent_id, "pathPart": self.path_part}
        if self.methods:
            document["resourceMethods"] = {
                name: copy.deepcopy(method) if with_methods else {} for name, method in self.methods.items()
            }
        return document


@dataclass(slots=True)
class Definition:
    """The parts of an API that a deployment copies."""

    settings: Document
    resources: dict[str, Resource] = field(default_factory=dict)
    models: dict[str, Document] = field(default_factory=dict)
    validators: dict[str, Document] = field(default_factory=dict)
    gateway_responses: dict[str, Document] = field(default_factory=dict)
    authorizers: dict[str, Document] = field(default_factory=dict)

    def snapshot(self) -> "Definition":
        return copy.deepcopy(self)


@dataclass(slots=True)
class RestDeployment:
    document: Document
    definition: Definition


@dataclass(slots=True)
class RestApi:
    definition: Definition
    deployments: dict[str, RestDeployment] = field(default_factory=dict)
    stages: dict[str, Document] = field(default_factory=dict)

    def resource(self, resource_id: str) -> Resource:
        try:
            return self.definition.resources[resource_id]
        except KeyError:
            raise not_found("Resource") from None

    def method(self, resource_id: str, http_method: str) -> Document:
        try:
            return self.resource(resource_id).methods[http_method]
        except KeyError:
            raise not_found("Method") from None

    def stage(self, name: str) -> Document:
        try:
            return self.stages[name]
        except KeyError:
            raise not_found("Stage") from None


@dataclass(slots=True)
class UsagePlan:
    document: Document
    key_ids: list[str] = field(default_factory=list)

    def covers(self, api_id: str, stage_name: str) -> Document | None:
        """The plan's entry for a stage, if it has one."""
        for entry in self.document["apiStages"]:
            if entry["apiId"] == api_id and entry["stage"] == stage_name:
                member_document: Document = entry
                return member_document
        return None


@dataclass(frozen=True, slots=True)
class Client:
    """A key to which a usage plan gives access to a stage; ``plan_stage`` holds per-method throttles."""

    key: Document
    plan: Document
    plan_stage: Document


@dataclass(slots=True)
class RestApiStore:
    """One region of one account."""

    apis: dict[str, RestApi] = field(default_factory=dict)
    keys: dict[str, Document] = field(default_factory=dict)
    plans: dict[str, UsagePlan] = field(default_factory=dict)
    account: Document = field(default_factory=dict)
    usage: UsageLedger = field(default_factory=UsageLedger)

    def api(self, api_id: str) -> RestApi:
        try:
            return self.apis[api_id]
        except KeyError:
            raise not_found("API") from None

    def key(self, key_id: str) -> Document:
        try:
            return self.keys[key_id]
        except KeyError:
            raise not_found("API Key") from None

    def plan(self, plan_id: str) -> UsagePlan:
        try:
            return self.plans[plan_id]
        except KeyError:
            raise not_found("Usage Plan") from None

    def clients(self, api_id: str, stage_name: str) -> dict[str, Client]:
        """Enabled keys by their value, with the usage plan that gives them access to the stage."""
        clients = {}
        for plan in self.plans.values():
            entry = plan.covers(api_id, stage_name)
            if entry is None:
                continue
            for key in (self.keys[key_id] for key_id in plan.key_ids):
                if key["enabled"]:
                    clients[key["value"]] = Client(key, plan.document, entry)
        return clients
