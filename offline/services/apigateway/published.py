"""The served form of a stage: its settings over the deployment's snapshot."""

from dataclasses import dataclass

from serinus.offline.http.api_documents import Document
from serinus.offline.services.apigateway.store import Client, Definition


@dataclass(frozen=True, slots=True)
class PublishedRestStage:
    """One stage; ``api`` holds the live settings, ``definition`` the deployed ones."""

    region: str
    api_id: str
    api: Document
    stage: Document
    deployment_id: str
    definition: Definition
    clients: dict[str, Client]
