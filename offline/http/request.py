"""A client's request as the gateway sees it: addressed to a stage, read whole, decoded at most once."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from serinus.offline.http.errors import body_too_large, headers_too_large
from serinus.offline.http.header_case_protocol import SENT_HEADERS

#: Source of both: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
LARGEST_BODY_BYTES = 10 * 1024 * 1024
LARGEST_HEADERS_BYTES = 10_240

MOUNT = "/_gateway/"
EXECUTE_API_HOST = re.compile(r"^(?P<api>[a-z0-9]+)\.execute-api\.")


@dataclass(frozen=True, slots=True)
class Address:
    """The API and stage of a request; ``path`` is the undecoded rest after the stage.

    With a custom domain, ``domain_name`` is its name and ``base_path`` the part of the path that its mapping
    matched.
    """

    api_id: str
    stage: str
    path: str
    domain_name: str | None = None
    base_path: str = ""


@dataclass(slots=True)
class GatewayRequest:
    """One request; names in ``headers`` are spelled as sent; ``path`` follows the stage, ``sent_path`` is the
    whole path, neither percent-decoded."""

    method: str
    path: str
    sent_path: str
    query: list[tuple[str, str]]
    raw_query: str
    headers: list[tuple[str, str]]
    values: dict[str, str]
    source_ip: str
    scheme: str
    port: int
    protocol: str
    domain_name: str | None = None
    base_path: str = ""
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The last value of a header, by its lower-case name."""
        return self.values.get(name)


def own_url(scope: Scope) -> tuple[str, str] | None:
    """The API that a request names and the path below it; None if it names none.

    By Host ``{api}.execute-api.*``, or by path ``/_gateway/{api}/...``.
    """
    path = sent_path(scope)
    match = EXECUTE_API_HOST.match(host_of(scope))
    if match is not None:
        return match["api"], path
    if path.startswith(MOUNT):
        api_id, slash, rest = path.removeprefix(MOUNT).partition("/")
        return api_id, slash + rest or "/"
    return None


def host_of(scope: Scope) -> str:
    """The Host header, with its port."""
    value_bytes: bytes = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return value_bytes.decode("latin-1")


def sent_path(scope: Scope) -> str:
    """The whole path as sent, with its percent-encoding."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return path.decode("latin-1")


def staged(path: str) -> tuple[str, str]:
    """The first part of a path, and its rest."""
    stage, slash, rest = path.removeprefix("/").partition("/")
    return stage, slash + rest or "/"


def parse_request(scope: Scope, address: Address) -> GatewayRequest:
    """The request without its body."""
    sent: list[tuple[bytes, bytes]] = scope.get(SENT_HEADERS) or scope["headers"]
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent]
    raw_query = scope["query_string"].decode("latin-1")
    client, server = scope.get("client") or ("127.0.0.1", 0), scope.get("server") or ("", 80)
    return GatewayRequest(
        method=scope["method"],
        path=address.path,
        sent_path=sent_path(scope),
        query=parse_query(raw_query),
        raw_query=raw_query,
        headers=headers,
        values={name.lower(): value for name, value in headers},
        source_ip=client[0],
        scheme=scope["scheme"],
        port=server[1] or 80,
        protocol=f"HTTP/{scope['http_version']}",
        domain_name=address.domain_name,
        base_path=address.base_path,
    )


def parse_query(raw_query: str) -> list[tuple[str, str]]:
    """Decoded pairs in order; a name without "=" has an empty value."""
    pairs = []
    for part in raw_query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def check_header_size(request: GatewayRequest) -> None:
    """Raise if request line and headers together exceed API Gateway's limit."""
    size = len(request.method) + len(request.path) + len(request.raw_query)
    size += sum(len(name) + len(value) for name, value in request.headers)
    if size > LARGEST_HEADERS_BYTES:
        raise headers_too_large()


async def read_body(receive: Receive) -> bytes:
    """The whole body; raises as soon as it exceeds API Gateway's limit.

    Raises starlette's ClientDisconnect if the client leaves before it is complete.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY_BYTES:
            raise body_too_large()
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)
