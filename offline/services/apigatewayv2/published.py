"""The served form of a stage: its settings over the deployment's snapshot."""

from dataclasses import dataclass

from serinus.offline.http.api_documents import Document
from serinus.offline.services.apigatewayv2.store import HttpDeployment


@dataclass(frozen=True, slots=True)
class PublishedHttpStage:
    """One stage; ``deployment`` is None if nothing has been deployed to it."""

    region: str
    api: Document
    stage: Document
    deployment: HttpDeployment | None
