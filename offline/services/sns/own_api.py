"""This cloud's mailbox: mails and texts that would have been sent.

GET /_offline/sns/outbox lists them, DELETE removes them; GET /_offline/sns/confirm is the link in a confirmation
message.
"""

import dataclasses
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serinus.offline.core.errors import AwsError

if TYPE_CHECKING:
    from serinus.offline.services.sns.service import Sns


def routes(sns: "Sns") -> list[Route]:
    """The outbox."""

    async def outbox(_request: Request) -> Response:
        return JSONResponse([dataclasses.asdict(sent) for sent in sns.deliveries.outbox])

    async def empty(_request: Request) -> Response:
        sns.deliveries.outbox.clear()
        return Response(status_code=204)

    return [
        Route("/_offline/sns/outbox", outbox, methods=["GET"]),
        Route("/_offline/sns/outbox", empty, methods=["DELETE"]),
    ]


def open_routes(sns: "Sns") -> list[Route]:
    """The link in a confirmation, with an unguessable token."""

    async def confirm(request: Request) -> Response:
        try:
            arn = sns.confirm(request.query_params.get("TopicArn", ""), request.query_params.get("Token", ""))
        except AwsError as error:
            return JSONResponse({"__type": error.code, "message": error.message}, status_code=400)
        return JSONResponse({"SubscriptionArn": arn})

    return [Route("/_offline/sns/confirm", confirm, methods=["GET"])]
