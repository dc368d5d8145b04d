"""The gateway's own responses, as the API customizes them.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
"""

from functools import partial
from typing import Any

from serinus.offline.http.context_variables import substitute
from serinus.offline.http.errors import GatewayError
from serinus.offline.http.reply import Reply
from serinus.offline.http.response_types import BODY_TEMPLATE
from serinus.offline.services.apigateway.serving.context_variables import context_value
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.parameters import mapped_value

DEFAULT_TEMPLATES = {"application/json": BODY_TEMPLATE}


def error_reply(exchange: RestExchange, error: GatewayError) -> Reply:
    """The reply for ``error``: the API's gateway response for its type, or for its class, or AWS's."""
    exchange.error = error
    custom = customized(exchange.stage.gateway_responses, error)
    templates = custom.get("responseTemplates") or DEFAULT_TEMPLATES
    content_type, template = pick_template(templates, exchange.request.header("accept"))
    reply = Reply(int(custom.get("statusCode") or error.status))
    reply.headers = [("Content-Type", content_type), ("x-amzn-ErrorType", error.error_type)]
    for name, source in (custom.get("responseParameters") or {}).items():
        value = mapped_value(source, exchange)
        if value is not None:
            set_header(reply, name.removeprefix("gatewayresponse.header."), value)
    if error.body is not None and "responseTemplates" not in custom:
        reply.body = error.body.encode()
    else:
        reply.body = substitute(template, partial(context_value, exchange), unset="").encode()
    return reply


def customized(responses: dict[str, dict[str, Any]], error: GatewayError) -> dict[str, Any]:
    fallback = "DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX"
    return responses.get(error.response_type) or responses.get(fallback) or {}


def pick_template(templates: dict[str, str], accept: str | None) -> tuple[str, str]:
    media_type = (accept or "").split(",")[0].split(";")[0].strip()
    if media_type in templates:
        return media_type, templates[media_type]
    if "application/json" in templates:
        return "application/json", templates["application/json"]
    return next(iter(templates.items()))


def set_header(reply: Reply, name: str, value: str) -> None:
    reply.headers = [kept for kept in reply.headers if kept[0].lower() != name.lower()]
    reply.headers.append((name, value))
