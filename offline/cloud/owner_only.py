"""This cloud's own API is its owner's alone: each call is signed with the cloud's key.

What is below /_offline moves the clock, orders faults and shows keys. Other users of this machine reach the port
too, and know the key as little as a web page does.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from serinus.offline.authentication.authentication import Authentication, sent_request
from serinus.offline.authentication.root_key import RootKey
from serinus.offline.client.own_api import SERVICE
from serinus.offline.cloud.guard import refuse
from serinus.offline.cloud.replay import replay
from serinus.offline.core.auth_errors import Problem, Rejected


class OwnerOnly:
    """Lets calls through to ``app`` that are signed with ``root``."""

    def __init__(self, app: ASGIApp, authentication: Authentication, root: RootKey) -> None:
        self._app = app
        self._authentication = authentication
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            signer = await self._authentication.signer_of(sent_request(scope), request.body)
        except Rejected as rejected:
            hint = _HINTS.get(rejected.problem, "")
            await refuse(f"{_WHAT} ({rejected}){hint}")(scope, receive, send)
            return
        if (signer.key_id, signer.service, signer.presigned) != (self._root.access_key_id, SERVICE, False):
            where = "in the address" if signer.presigned else "in headers"
            why = f"the signature is of {signer.key_id} for {signer.service!r}, {where}"
            await refuse(f"{_WHAT} ({why})")(scope, receive, send)
            return
        await self._app(scope, replay(await request.body()), send)


_HINTS: dict[Problem, str] = {
    "unknown key": ". Each start of the cloud makes a new key: this one may be of an earlier start",
    "unsigned": ": curl --aws-sigv4 aws:amz:us-east-1:offline --user KEY_ID:SECRET",
}
_WHAT = (
    "this is the cloud's own API, for its owner alone. Sign the request (Signature Version 4) with the cloud's "
    f"access key for the service {SERVICE!r}"
)
