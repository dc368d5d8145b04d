"""Restricts this cloud's own API to its owner: each call is signed with the cloud's key.

The API below /_offline changes the clock, injects faults and shows keys. Other users of this machine can reach the
port too, but like web pages they do not have the key.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from serinus.offline.authentication.authenticator import Authenticator, sent_request
from serinus.offline.client.own_api import SERVICE
from serinus.offline.cloud.guard import refuse
from serinus.offline.cloud.replay import replay
from serinus.offline.core.auth_errors import AuthenticationError, Problem
from serinus.offline.core.root_key import RootKey


class OwnerOnly:
    """Passes calls that are signed with ``root`` to ``app``."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, root: RootKey) -> None:
        self._app = app
        self._authenticator = authenticator
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            signer = await self._authenticator.signer_of(sent_request(scope), request.body)
        except AuthenticationError as error:
            hint = _HINTS.get(error.problem, "")
            await refuse(f"{_WHAT} ({error}){hint}")(scope, receive, send)
            return
        if (signer.key_id, signer.service, signer.presigned) != (self._root.access_key_id, SERVICE, False):
            where = "in the address" if signer.presigned else "in headers"
            why = f"the signature is of {signer.key_id} for {signer.service!r}, {where}"
            await refuse(f"{_WHAT} ({why})")(scope, receive, send)
            return
        await self._app(scope, replay(await request.body()), send)


_HINTS: dict[Problem, str] = {
    "unknown key": ". Each start of the cloud creates a new key: this key may be of an earlier start",
    "unsigned": ": curl --aws-sigv4 aws:amz:us-east-1:offline --user KEY_ID:SECRET",
}
_WHAT = (
    "this is the cloud's own API, for its owner alone. Sign the request (Signature Version 4) with the cloud's "
    f"access key for the service {SERVICE!r}"
)
