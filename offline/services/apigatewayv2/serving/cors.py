"""Cross-origin responses of an HTTP API with a CORS configuration.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from dataclasses import dataclass

from serinus.offline.http.api_documents import Document
from serinus.offline.http.reply import Headers, Reply
from serinus.offline.http.request import GatewayRequest

PREFIX = "access-control-"


def is_preflight(request: GatewayRequest) -> bool:
    return request.method == "OPTIONS" and bool(
        request.header("origin") and request.header("access-control-request-method")
    )


@dataclass(frozen=True, slots=True)
class Cors:
    """An API's configuration."""

    configuration: Document

    def preflight(self, request: GatewayRequest) -> Reply:
        """A 204 with the allowed methods and headers; without them for an origin that is not allowed."""
        headers = self._common(request)
        if headers:
            for name, member in (("allow-methods", "AllowMethods"), ("allow-headers", "AllowHeaders")):
                if self.configuration.get(member):
                    headers.append((PREFIX + name, ",".join(self.configuration[member])))
            if self.configuration.get("MaxAge") is not None:
                headers.append((f"{PREFIX}max-age", str(self.configuration["MaxAge"])))
        return Reply(204, headers)

    def mark(self, request: GatewayRequest, reply: Reply) -> None:
        """Replace the integration's CORS headers with the configured ones."""
        reply.headers = [kept for kept in reply.headers if not kept[0].lower().startswith(PREFIX)]
        added = self._common(request)
        if added and self.configuration.get("ExposeHeaders"):
            added.append((f"{PREFIX}expose-headers", ",".join(self.configuration["ExposeHeaders"])))
        reply.headers += added

    def _common(self, request: GatewayRequest) -> Headers:
        origin = request.header("origin")
        if origin is None:
            return []
        allowed = self.configuration.get("AllowOrigins") or []
        if "*" in allowed:
            headers = [(f"{PREFIX}allow-origin", "*")]
        elif any(covers(pattern, origin) for pattern in allowed):
            headers = [(f"{PREFIX}allow-origin", origin)]
        else:
            return []
        if self.configuration.get("AllowCredentials"):
            headers.append((f"{PREFIX}allow-credentials", "true"))
        return headers


def covers(pattern: str, origin: str) -> bool:
    """Whether ``pattern`` is the origin, or its scheme with a star."""
    return origin.startswith(pattern[:-1]) if pattern.endswith("://*") else pattern.lower() == origin.lower()
