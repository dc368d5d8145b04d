"""Errors of every service, which are in no service's model: moto's serializer would warn about each."""

from moto.core.errors import COMMON_ERROR_CODES

from serinus.offline.core.auth_errors import CODES


def apply() -> None:
    """Have moto write these errors as it writes those of a service's model."""
    codes = ["NotImplemented", "AccessDenied", "AccessDeniedException", "AuthorizationError", *CODES]
    COMMON_ERROR_CODES.extend(code for code in codes if code not in COMMON_ERROR_CODES)
