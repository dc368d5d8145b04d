"""Registers the errors common to all services, which no service's model lists: moto's serializer would warn."""

from moto.core.errors import COMMON_ERROR_CODES

from serinus.offline.core.auth_errors import CODES


def apply() -> None:
    """Have moto serialize these errors like those of a service's model."""
    codes = ["NotImplemented", "AccessDenied", "AccessDeniedException", "AuthorizationError", *CODES]
    COMMON_ERROR_CODES.extend(code for code in codes if code not in COMMON_ERROR_CODES)
