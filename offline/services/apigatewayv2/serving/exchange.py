"""The record of one request to a stage of an HTTP API."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from serinus.offline.http.passage import Passage
from serinus.offline.services.apigatewayv2.serving.token import Token

if TYPE_CHECKING:
    from serinus.offline.services.apigatewayv2.serving.compiled import HttpRoute, HttpStage


@dataclass(slots=True, kw_only=True)
class HttpExchange(Passage):
    """``token`` is set if a JWT authorizer accepted it, else ``authorizer_error``."""

    stage: "HttpStage"
    route: "HttpRoute | None" = None
    token: Token | None = None
    authorizer_error: str | None = None
    error_message: str | None = None

    @property
    def path(self) -> str:
        """The path as functions receive it: decoded, with the stage unless that is $default.

        A decoded question mark truncates it, as on AWS.
        """
        path = unquote(self.request.path).partition("?")[0]
        return path if self.stage.name == "$default" else f"/{self.stage.name}{path}"

    @property
    def resource_arn(self) -> str:
        """The request as execute-api names it in policies."""
        return f"{self.stage.arn}/{self.request.method}{self.request.path}"
