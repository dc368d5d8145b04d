"""The MOCK integration: no backend, only templates. CORS preflights use it."""

import re
from typing import Any

from serinus.offline.http.errors import configuration_error
from serinus.offline.http.reply import Reply
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.parameters import mapped_value
from serinus.offline.services.apigateway.serving.template_values import TemplateContext, TemplateInput
from serinus.offline.services.apigateway.serving.templates import Template

Document = dict[str, Any]

#: AWS parses the rendered request leniently: the CDK writes ``{ statusCode: 204 }``, without quotes.
STATUS_CODE = re.compile(r"""["']?statusCode["']?\s*:\s*(\d{3})\b""")


class Mock:
    """One method's mock: request template -> status -> integration response."""

    def __init__(self, integration: Document) -> None:
        self._requests = parsed(integration.get("requestTemplates"))
        self._responses = [
            (response, parsed(response.get("responseTemplates")))
            for response in (integration.get("integrationResponses") or {}).values()
        ]

    async def answer(self, exchange: RestExchange) -> Reply:
        scope = template_scope(exchange)
        response, templates = self._select(self._status(exchange, scope))
        reply = Reply(int(response["statusCode"]))
        for name, source in (response.get("responseParameters") or {}).items():
            value = mapped_value(source, exchange)
            if value is not None:
                reply.headers.append((name.removeprefix("method.response.header."), value))
        self._render(reply, templates, scope)
        return reply

    def _status(self, exchange: RestExchange, scope: dict[str, Any]) -> str:
        content_type = (exchange.request.header("content-type") or "application/json").partition(";")[0]
        template = self._requests.get(content_type)
        text = template.render(scope) if template is not None else exchange.request.body.decode("latin-1")
        match = STATUS_CODE.search(text)
        if match is None:
            raise configuration_error()
        return match[1]

    def _select(self, status: str) -> tuple[Document, dict[str, Template]]:
        default = None
        for response, templates in self._responses:
            pattern = response.get("selectionPattern")
            if not pattern:
                default = default or (response, templates)
            elif re.fullmatch(pattern, status):
                return response, templates
        if default is None:
            raise configuration_error()
        return default

    def _render(self, reply: Reply, templates: dict[str, Template], scope: dict[str, Any]) -> None:
        content_type = next(iter(templates), "application/json")
        if templates:
            reply.body = templates[content_type].render(scope).encode()
        override = scope["context"].get("responseOverride") or {}
        for name, value in (override.get("header") or {}).items():
            reply.headers = [kept for kept in reply.headers if kept[0].lower() != name.lower()]
            reply.headers.append((name, str(value)))
        reply.status = int(override.get("status") or reply.status)
        if not reply.has("content-type"):
            reply.headers.append(("Content-Type", content_type))


def parsed(templates: dict[str, str] | None) -> dict[str, Template]:
    return {content_type: Template.parse(text or "") for content_type, text in (templates or {}).items()}


def template_scope(exchange: RestExchange) -> dict[str, Any]:
    return {
        "input": TemplateInput(exchange),
        "context": TemplateContext(exchange, {}),
        "stageVariables": exchange.stage.variables,
    }
