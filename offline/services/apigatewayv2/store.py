"""A region's HTTP APIs: documents in the shapes that AWS returns."""

import copy
from dataclasses import dataclass, field

from serinus.offline.core.errors import AwsError
from serinus.offline.http.api_documents import Document


def not_found(kind: str, identity: str) -> AwsError:
    return AwsError("NotFoundException", f"Invalid {kind} identifier specified {identity}")


@dataclass(slots=True)
class HttpDeployment:
    """An API's routes, integrations and authorizers at the time of the deployment."""

    document: Document
    routes: dict[str, Document]
    integrations: dict[str, Document]
    authorizers: dict[str, Document]


@dataclass(slots=True)
class HttpApi:
    """One API; every part by its id, stages by their name."""

    document: Document
    routes: dict[str, Document] = field(default_factory=dict)
    integrations: dict[str, Document] = field(default_factory=dict)
    authorizers: dict[str, Document] = field(default_factory=dict)
    stages: dict[str, Document] = field(default_factory=dict)
    deployments: dict[str, HttpDeployment] = field(default_factory=dict)

    def freeze(self, document: Document) -> HttpDeployment:
        """A deployment of the API's present state."""
        snapshot = copy.deepcopy((self.routes, self.integrations, self.authorizers))
        deployment = self.deployments[document["DeploymentId"]] = HttpDeployment(document, *snapshot)
        return deployment

    def forget_unused(self) -> None:
        """Drop automatic deployments that no stage serves any more."""
        used = {stage.get("DeploymentId") for stage in self.stages.values()}
        for identity, deployment in list(self.deployments.items()):
            if deployment.document["AutoDeployed"] and identity not in used:
                del self.deployments[identity]


@dataclass(slots=True)
class HttpApiStore:
    """One region of one account."""

    apis: dict[str, HttpApi] = field(default_factory=dict)

    def api(self, api_id: str) -> HttpApi:
        try:
            return self.apis[api_id]
        except KeyError:
            raise not_found("API", api_id) from None
