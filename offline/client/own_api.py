"""A client of a cloud's own API below /_offline, which moves the clock and injects faults.

Calls are signed like any other: the secret itself is never sent, so that a program listening at the port of an
ended cloud learns nothing of use.
"""

from collections.abc import Generator
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from serinus.offline.core.root_key import RootKey

#: The service and region that signatures of these calls name.
SERVICE = "offline"
REGION = "us-east-1"
TIMEOUT_S = 10.0


class Signing(httpx.Auth):
    """Signs each request with a cloud's key."""

    requires_request_body = True

    def __init__(self, key: RootKey) -> None:
        self._signer = SigV4Auth(key.credentials(), SERVICE, REGION)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        aws_request = AWSRequest(request.method, str(request.url), data=request.content)
        self._signer.add_auth(aws_request)
        request.headers.update(dict(aws_request.headers.items()))
        yield request


class OwnApi:
    """The own API of the cloud at ``url``, for holders of its key."""

    def __init__(self, url: str, key: RootKey) -> None:
        self.url = url
        self._auth = Signing(key)

    def request(
        self, method: str, path: str, *, json: Any = None, timeout_s: float = TIMEOUT_S, **more: Any
    ) -> httpx.Response:
        """The response to a call of ``path``, as "/clock"; raises httpx's errors if there is none."""
        return httpx.request(
            method,
            f"{self.url}/_offline{path}",
            json=json,
            timeout=timeout_s,
            trust_env=False,
            # Plain HTTP: to load certificates would take twenty times as long as the call.
            verify=False,
            auth=self._auth,
            **more,
        )

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, json: Any, **more: Any) -> httpx.Response:
        return self.request("POST", path, json=json, **more)

    def put(self, path: str, json: Any, **more: Any) -> httpx.Response:
        return self.request("PUT", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)
