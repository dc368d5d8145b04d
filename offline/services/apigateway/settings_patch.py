"""Patches of a stage's method settings; a path names method, category and setting.

"/*/*/throttling/rateLimit" or "/~1pets~1{id}/GET/logging/loglevel".
Source: https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateStage-Patch
"""

from collections.abc import Callable
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.http.api_documents import Document, bad_request

HTTP_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"})
CATEGORIES = ("metrics", "logging", "throttling", "caching")
SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "metrics/enabled": ("metricsEnabled", lambda value: value.lower() == "true"),
    "logging/loglevel": ("loggingLevel", str),
    "logging/datatrace": ("dataTraceEnabled", lambda value: value.lower() == "true"),
    "throttling/burstlimit": ("throttlingBurstLimit", int),
    "throttling/ratelimit": ("throttlingRateLimit", float),
    "caching/enabled": ("cachingEnabled", lambda value: value.lower() == "true"),
    "caching/ttlinseconds": ("cacheTtlInSeconds", int),
    "caching/dataencrypted": ("cacheDataEncrypted", lambda value: value.lower() == "true"),
}
#: The settings that AWS returns for a method with one explicit setting.
DEFAULTS: Document = {
    "metricsEnabled": False,
    "loggingLevel": "OFF",
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


def is_method_setting(path: str) -> bool:
    """Whether ``path`` is a setting of a method, or a method whose settings are to be removed."""
    parts = path.split("/")
    return (len(parts) >= 5 and parts[-2] in CATEGORIES) or parts[-1] in HTTP_METHODS or parts[-1] == "*"


def patch_method_setting(settings: Document, operation: Document) -> None:
    """Apply one operation to ``settings``, keyed "resource/METHOD" as AWS keys them."""
    *method, category, setting = operation["path"].removeprefix("/").split("/")
    known = SETTINGS.get(f"{category}/{setting}".lower())
    if known is None and operation["op"] == "remove":
        settings.pop(operation["path"].removeprefix("/"), None)
        return
    if known is None:
        raise bad_request(f"Invalid method setting path: {operation['path']}")
    key, (name, convert) = "/".join(method), known
    if operation["op"] == "remove":
        forget(settings, key, name)
        return
    try:
        value = convert(operation.get("value") or "")
    except ValueError as error:
        raise bad_request(f"Invalid value '{operation.get('value')}' for {operation['path']}") from error
    if name == "cachingEnabled" and value:
        raise NotModelled("apigateway: caching", "Leave caching off.")
    settings[key] = DEFAULTS | settings.get(key, {}) | {name: value}


def forget(settings: Document, key: str, name: str) -> None:
    """Reset one setting of a method to its default; a method without settings of its own is removed."""
    if key in settings:
        settings[key][name] = DEFAULTS[name]
        if settings[key] == DEFAULTS:
            del settings[key]
