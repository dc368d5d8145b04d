"""A stage as the gateway serves it: the stage's settings over the deployment's snapshot."""

from dataclasses import dataclass

from serinus.offline.http.api_documents import Document
from serinus.offline.services.apigatewayv2.store import HttpDeployment


@dataclass(frozen=True, slots=True)
class PublishedHttpStage:
    """One stage as it stands now; ``deployment`` None means that nothing was deployed to it yet."""

    region: str
    api: Document
    stage: Document
    deployment: HttpDeployment | None
