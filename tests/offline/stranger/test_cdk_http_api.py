"""The stock CDK CLI and a plain CDK app with an HTTP API: deployed, and guarded by a real issuer's tokens."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from offline.cloud.cloud import Cloud

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("stranger")]

Cdk = Callable[..., subprocess.CompletedProcess[str]]
KEY = RSAKey.generate_key(2048, {"kid": "one"})


@pytest.fixture
def issuer() -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {
                "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
                "/keys": {"keys": [KEY.as_dict(private=False)]},
            }
            body = json.dumps(documents[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield url
        server.shutdown()


def test_an_http_api_with_a_jwt_authorizer(
    cdk_of: Callable[[str], Cdk], client: Callable[[str], Any], own_cloud: Cloud, issuer: str
) -> None:
    cdk = cdk_of("http_app.py")
    cdk("deploy", "--require-approval", "never", "-c", f"issuer={issuer}")
    stack = client("cloudformation").describe_stacks(StackName="http-stranger")["Stacks"][0]
    api_id = stack["Outputs"][0]["OutputValue"].removeprefix("https://").partition(".")[0]

    def call(path: str, **claims: Any) -> httpx.Response:
        headers = {}
        if claims:
            expires = int(own_cloud.clock.time()) + 86_400
            payload = {"iss": issuer, "aud": "serving", "exp": expires, **claims}
            token = jws.serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(payload), KEY)
            headers["Authorization"] = f"Bearer {token}"
        url = f"{own_cloud.config.endpoint_url}/_gateway/{api_id}{path}"
        return httpx.get(url, headers=headers, trust_env=False, timeout=30)

    assert call("/open").text == "open"
    assert call("/guarded").status_code == 401
    assert call("/guarded", sub="me").json()["jwt"]["claims"]["sub"] == "me"
    assert call("/guarded", aud="others").status_code == 401
    assert call("/scoped/a", scope="read").status_code == 403
    assert call("/scoped/a", scope="read predict").json()["jwt"]["scopes"] == ["read", "predict"]
    cdk("destroy", "--force")
