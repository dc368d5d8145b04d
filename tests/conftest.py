"""What holds for every test, however the run was started, and what tests of several parts need."""

import gc
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey


def pytest_configure() -> None:
    """Let tests press Ctrl-C and hang up: a shell starts what runs in the background with SIGINT ignored, `nohup`
    with SIGHUP, and whatever a test starts would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """Keep what was imported and collected, millions of objects, out of each later garbage collection."""
    gc.collect()
    gc.freeze()


@dataclass
class Issuer:
    """An identity provider on this machine: discovery, keys and signed tokens."""

    url: str
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    keys: list[dict[str, Any]] = field(default_factory=list)

    def claims(self, now: float, **changes: Any) -> dict[str, Any]:
        """What a token says that is good for ten minutes from ``now`` (epoch seconds); None leaves a claim out."""
        claims = {"iss": self.url, "aud": "serving", "sub": "me", "exp": int(now) + 600, "iat": int(now) - 5}
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def sign(self, claims: Any, *, algorithm: str = "RS256", key: Any = None, **header: Any) -> str:
        """A token, by the issuer's own key unless told; None leaves a member of the header out."""
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        head = {"alg": algorithm, "kid": "one", **header}
        head = {name: value for name, value in head.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return jws.serialize_compact(head, payload, key or self.key, registry=registry)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An identity provider that answers on loopback."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {
                "/.well-known/openid-configuration": {"issuer": made.url, "jwks_uri": f"{made.url}/keys"},
                "/keys": {"keys": made.keys},
            }
            body = json.dumps(documents.get(self.path)).encode()
            self.send_response(200 if self.path in documents else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        made = Issuer(f"http://127.0.0.1:{server.server_port}")
        made.keys.append(made.key.as_dict(private=False))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture
def moto_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Creates a bucket of moto's and returns the client; the bucket is deleted after the test.

    A cloud of other tests may live in this process and keeps its resources in the same moto: a plain `with
    mock_aws()` would delete them.
    """
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    moto = mock_aws()
    moto.start(reset=False)
    client = boto3.client("s3", region_name="us-east-1")
    names: list[str] = []

    def create(name: str) -> Any:
        client.create_bucket(Bucket=name)
        names.append(name)
        return client

    try:
        yield create
        for name in names:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
                for each in page.get("Contents", ()):
                    client.delete_object(Bucket=name, Key=each["Key"])
            client.delete_bucket(Bucket=name)
    finally:
        client.close()
        moto.stop(remove_data=False)
