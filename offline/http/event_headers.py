"""Headers and query strings of a function's event, as REST and HTTP APIs share them."""

from serinus.offline.http.request import GatewayRequest

#: Headers that API Gateway sets itself.
ADDED = frozenset({"x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})


def added_headers(request: GatewayRequest, trace_id: str) -> list[tuple[str, str]]:
    forwarded = request.header("x-forwarded-for")
    return [
        ("X-Amzn-Trace-Id", trace_id),
        ("X-Forwarded-For", f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip),
        ("X-Forwarded-Port", str(request.port)),
        ("X-Forwarded-Proto", request.scheme),
    ]


def merged(pairs: list[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Each name with its last value, and each name with all of them."""
    single: dict[str, str] = {}
    multiple: dict[str, list[str]] = {}
    for name, value in pairs:
        single[name] = value
        multiple.setdefault(name, []).append(value)
    return single, multiple
