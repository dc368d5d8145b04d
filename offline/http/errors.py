"""The gateway's errors, each as AWS words it.

``error_type`` is AWS's x-amzn-ErrorType, ``response_type`` the type of the gateway response that customizes it.
"""

import json

from serinus.offline.core.errors import OfflineError
from serinus.offline.http.response_types import RESPONSE_TYPES

INTERNAL = "Internal server error"


class GatewayError(OfflineError):
    """A request that the gateway answers itself; ``detail`` is the validation's error, if any.

    ``body`` is AWS's body where it differs from the default template, unless the API customizes it.
    """

    def __init__(
        self,
        response_type: str,
        message: str,
        error_type: str,
        *,
        status: int | None = None,
        detail: str = "",
        body: str | None = None,
    ) -> None:
        super().__init__(message)
        self.response_type = response_type
        self.message = message
        self.error_type = error_type
        self.status = status or RESPONSE_TYPES[response_type] or 500
        self.detail = detail
        self.body = body


def no_such_stage() -> GatewayError:
    return GatewayError("ACCESS_DENIED", "Forbidden", "ForbiddenException")


def no_such_route() -> GatewayError:
    return GatewayError(
        "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token", "MissingAuthenticationTokenException"
    )


def blocked_by_firewall() -> GatewayError:
    return GatewayError("WAF_FILTERED", "Forbidden", "ForbiddenException")


def invalid_api_key() -> GatewayError:
    return GatewayError("INVALID_API_KEY", "Forbidden", "ForbiddenException")


def throttled() -> GatewayError:
    return GatewayError("THROTTLED", "Too Many Requests", "TooManyRequestsException")


def quota_exceeded() -> GatewayError:
    return GatewayError("QUOTA_EXCEEDED", "Limit Exceeded", "LimitExceededException")


def body_too_large() -> GatewayError:
    return GatewayError("REQUEST_TOO_LARGE", "Request Too Long", "RequestTooLongException")


def headers_too_large() -> GatewayError:
    return GatewayError(
        "DEFAULT_4XX", "Request Header Fields Too Large", "RequestHeaderFieldsTooLargeException", status=431
    )


def missing_parameters(names: list[str]) -> GatewayError:
    message = f"Missing required request parameters: [{', '.join(names)}]"
    return GatewayError("BAD_REQUEST_PARAMETERS", message, "BadRequestException", detail=message)


def invalid_body(detail: str) -> GatewayError:
    return GatewayError("BAD_REQUEST_BODY", "Invalid request body", "BadRequestException", detail=detail)


def unreadable_body(encoding: str) -> GatewayError:
    return GatewayError("BAD_REQUEST_BODY", f"Could not decode the {encoding} body", "BadRequestException")


def malformed_function_response() -> GatewayError:
    return GatewayError("DEFAULT_5XX", INTERNAL, "InternalServerErrorException", status=502)


def configuration_error() -> GatewayError:
    return GatewayError("API_CONFIGURATION_ERROR", INTERNAL, "InternalServerErrorException")


def timed_out() -> GatewayError:
    return GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out", "InternalServerErrorException")


def access_denied(message: str) -> GatewayError:
    """Denied by a policy; AWS capitalizes the member of this body."""
    return GatewayError("ACCESS_DENIED", message, "AccessDeniedException", body=json.dumps({"Message": message}))


def denied_by_authorizer(*, explicitly: bool) -> GatewayError:
    why = " with an explicit deny" if explicitly else ""
    return access_denied(f"User is not authorized to access this resource{why}")


def unauthorized() -> GatewayError:
    return GatewayError("UNAUTHORIZED", "Unauthorized", "UnauthorizedException")


def authorizer_failed() -> GatewayError:
    return GatewayError("AUTHORIZER_FAILURE", INTERNAL, "AuthorizerFailureException", body='{"message":null}')


def authorizer_misconfigured() -> GatewayError:
    return GatewayError(
        "AUTHORIZER_CONFIGURATION_ERROR", INTERNAL, "AuthorizerConfigurationException", body='{"message":null}'
    )
