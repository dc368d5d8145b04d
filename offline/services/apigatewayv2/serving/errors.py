"""The errors that an HTTP API returns, each as AWS words it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
"""

import json

from serinus.offline.core.errors import OfflineError
from serinus.offline.http.reply import Headers, Reply


class HttpApiError(OfflineError):
    """A request that the gateway answers itself; ``challenge`` is its www-authenticate header, if any."""

    def __init__(self, status: int, message: str, challenge: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.challenge = challenge

    def reply(self) -> Reply:
        headers: Headers = [("Content-Type", "application/json")]
        if self.challenge is not None:
            headers.append(("www-authenticate", self.challenge))
        return Reply(self.status, headers, json.dumps({"message": self.message}, separators=(",", ":")).encode())


def not_found() -> HttpApiError:
    return HttpApiError(404, "Not Found")


def unauthorized(challenge: str | None = None) -> HttpApiError:
    return HttpApiError(401, "Unauthorized", challenge)


def forbidden(challenge: str | None = None) -> HttpApiError:
    return HttpApiError(403, "Forbidden", challenge)


def throttled() -> HttpApiError:
    return HttpApiError(429, "Too Many Requests")


def body_too_large() -> HttpApiError:
    return HttpApiError(413, "Request Entity Too Large")


def headers_too_large() -> HttpApiError:
    return HttpApiError(431, "Request Header Fields Too Large")


def internal_error() -> HttpApiError:
    return HttpApiError(500, "Internal Server Error")


def unavailable() -> HttpApiError:
    """The integration did not respond in time."""
    return HttpApiError(503, "Service Unavailable")
