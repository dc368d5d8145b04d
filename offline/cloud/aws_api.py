"""Routes each AWS call, by its signature, to its service: ours first, then moto's."""

import asyncio
import contextlib
from typing import Any

from a2wsgi import WSGIMiddleware
from botocore.exceptions import UnknownServiceError
from moto.core.request import Request as MotoRequest
from moto.core.utils import get_service_model
from moto.moto_server import werkzeug_app
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from serinus.offline.authentication.authenticator import Signer, sent_request
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.guard import UNREAD
from serinus.offline.cloud.registry import MOTO_SERVICES
from serinus.offline.cloud.replay import replay
from serinus.offline.core import protocol
from serinus.offline.core.auth_errors import AuthenticationError
from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.protocol import AwsResponse

#: Names under which requests are signed, where they differ from botocore's service name.
SIGNED_AS = {"monitoring": "cloudwatch", "states": "stepfunctions"}
#: Moto's paths beside AWS's APIs: its own, which can reset everything, and an instance's metadata.
MOTO_PATHS = ("/moto-api", "/favicon.ico", "/latest/meta-data/", "/latest/api/")


class AwsApi:
    """Passes each signed call to its service."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        moto: Any = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
        self.moto = WSGIMiddleware(moto, workers=32)
        # Moto's IAM iterates over all roles for each call, and fails if another thread creates one meanwhile.
        self._iam = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            signer = await self.cloud.authenticator.signer_of(sent_request(scope), request.body)
        except AuthenticationError as failure:
            await answer_to(failure, _normalized(request, b""))(scope, receive, send)
            return
        body = await request.body()
        try:
            answer = await self._answer(request, body, signer)
        except AwsError as error:
            await refuse(error)(scope, receive, send)
            return
        if answer is not None:
            await _response(answer)(scope, receive, send)
            return
        if signer.presigned:
            scope = {**scope, "headers": [*scope["headers"], (b"authorization", named(signer))]}
        async with self._iam if signer.service == "iam" else contextlib.nullcontext():
            await self.moto(scope, replay(body), send)
            if signer.service == "iam":
                self.cloud.authorizer.propagation.observe()

    async def _answer(self, request: Request, body: bytes, signer: Signer) -> AwsResponse | None:
        """The response of a service of ours, or the rejection; None if the call is moto's."""
        service = self.cloud.services.by_name.get(service_of(signer.service, request.url.path))
        if service is None and signer.service not in MOTO_SERVICES:
            raise NotModelled(f"the service {signer.service}")
        if request.url.path.startswith(MOTO_PATHS):
            raise NotModelled(f"the path {request.url.path}")
        if signer.presigned and signer.service != "s3":
            raise NotModelled(f"presigned calls of {signer.service}")
        session = self.cloud.authorizer.session(signer.key_id)
        if service is None and session is None:
            return None
        normalized = _normalized(request, body)
        if session is not None:
            refusal = self.cloud.authorizer.refusal(session, normalized, signer.service, signer.region)
            if refusal is not None:
                return refusal
        return None if service is None else await service.answer(normalized, signer.region, signer.key_id)


def named(signer: Signer) -> bytes:
    """A header with the service of a presigned call, which moto would else guess from unsigned parts."""
    scope = f"{signer.key_id}/20000101/{signer.region}/{signer.service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}".encode()


def _normalized(request: Request, body: bytes) -> MotoRequest:
    return MotoRequest.from_primitives(request.method, str(request.url), dict(request.headers.items()), body)


def service_of(signed_as: str, path: str) -> str:
    """Botocore's name of a call's service: HTTP APIs sign like REST APIs, below another path."""
    if signed_as == "apigateway" and path.startswith("/v2/"):
        return "apigatewayv2"
    return SIGNED_AS.get(signed_as, signed_as)


def answer_to(failure: AuthenticationError, request: MotoRequest) -> Response:
    """The error for a call without a valid signature, in the shape that its service's clients parse.

    For a call that names no service, the service is inferred from its form: on AWS each has its own address.
    """
    signed_as = failure.signed_as
    if signed_as is None:
        signed_as = failure.signed_as = _service_by_form(request)
    try:
        model = get_service_model(service_of(signed_as, request.path))
        error = failure.error(protocol.protocol_of(model, request))
    except (UnknownServiceError, NotImplementedError):
        # A service that AWS does not have, or a protocol that the service does not support.
        return refuse(failure.error("json"))
    answer = protocol.write_answer(model, request, "", error)
    return Response(answer.body, answer.status, answer.headers | UNREAD)


def _service_by_form(request: MotoRequest) -> str:
    if request.headers.get("X-Amz-Target"):
        return "ssm"
    form = (request.content_type or "").startswith("application/x-www-form-urlencoded")
    return "sts" if form or "Action" in request.args else "s3"


def refuse(error: AwsError) -> Response:
    """An error that belongs to no operation's model, readable by every AWS client."""
    return JSONResponse(
        {"__type": error.code, "message": error.message},
        status_code=error.status or 400,
        headers={"x-amzn-errortype": error.code, **UNREAD},
    )


def _response(answer: AwsResponse) -> Response:
    return Response(answer.body, answer.status, answer.headers)
