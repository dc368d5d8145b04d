"""The record of one request to a stage of a REST API."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serinus.offline.http.errors import GatewayError
from serinus.offline.http.passage import Passage

if TYPE_CHECKING:
    from serinus.offline.services.apigateway.serving.compiled import MethodRoute, RestStage
    from serinus.offline.services.apigateway.store import Client


@dataclass(slots=True, kw_only=True)
class RestExchange(Passage):
    """A request to a stage of a REST API."""

    stage: "RestStage"
    route: "MethodRoute | None" = None
    client: "Client | None" = None
    authorizer: dict[str, str] | None = None
    error: GatewayError | None = None

    @property
    def full_path(self) -> str:
        """AWS's ``requestContext.path``: with the stage, or behind a custom domain with the base path."""
        if self.request.domain_name is not None:
            return self.mapped_path
        return f"/{self.stage.name}{self.request.path}"

    @property
    def mapped_path(self) -> str:
        """The request's path, with the base path that a custom domain's mapping matched."""
        return self.request.base_path + self.request.path
