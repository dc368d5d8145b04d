"""Serves HTTP APIs: one coroutine a request, from the stage to the response."""

from functools import partial

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from serinus.offline.core.clock import monotonic
from serinus.offline.http.errors import GatewayError
from serinus.offline.http.gateway_context import GatewayContext
from serinus.offline.http.passage import new_trace_id
from serinus.offline.http.reply import Reply
from serinus.offline.http.request import Address, check_header_size, parse_request, read_body
from serinus.offline.http.send import respond
from serinus.offline.http.signature import InvocationTarget, authenticate
from serinus.offline.services.apigatewayv2.service import ApiGatewayV2
from serinus.offline.services.apigatewayv2.serving import metrics
from serinus.offline.services.apigatewayv2.serving.compiled import HttpStage, compile_stage
from serinus.offline.services.apigatewayv2.serving.context_variables import context_value
from serinus.offline.services.apigatewayv2.serving.cors import is_preflight
from serinus.offline.services.apigatewayv2.serving.errors import (
    HttpApiError,
    body_too_large,
    forbidden,
    headers_too_large,
    internal_error,
    not_found,
    throttled,
)
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange
from serinus.offline.services.apigatewayv2.serving.issuer import Issuers


class HttpGateway:
    """Serves every stage of every HTTP API of a cloud."""

    def __init__(self, context: GatewayContext, control_plane: ApiGatewayV2, issuers: Issuers) -> None:
        self._context = context
        self._control_plane = control_plane
        self._issuers = issuers
        self._compiled: dict[tuple[str, str], tuple[int, HttpStage]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send, address: Address) -> None:
        stage = self._stage(address)
        if stage is None or (stage.endpoint_disabled and address.domain_name is None):
            await respond(send, not_found().reply())
            return
        cloud_time = self._context.cloud.clock.time()
        request = parse_request(scope, address)
        trace_id = request.header("x-amzn-trace-id") or new_trace_id(cloud_time)
        exchange = HttpExchange(request, cloud_time, trace_id, stage=stage)
        try:
            reply = await self._reply(exchange, receive)
        except ClientDisconnect:
            return  # the client has disconnected
        reply.headers.append(("Apigw-Requestid", exchange.extended_request_id))
        exchange.status, exchange.response_length = reply.status, len(reply.body)
        exchange.latency_ms = (monotonic() - exchange.started) * 1000
        await respond(send, reply)
        self._context.requests.note(exchange, stage.api_id, stage.name, reply)
        self._report(exchange)

    def _stage(self, address: Address) -> HttpStage | None:
        """The compiled stage, recompiled if the control plane has changed."""
        key = (address.api_id, address.stage)
        revision, stage = self._compiled.get(key, (-1, None))
        if stage is not None and revision == self._control_plane.revision:
            return stage
        published = self._control_plane.published(*key)
        if published is None:
            self._compiled.pop(key, None)
            return None
        account_id = self._context.cloud.config.account_id
        stage = compile_stage(published, account_id, self._context.functions, self._issuers)
        self._compiled[key] = (self._control_plane.revision, stage)
        return stage

    async def _reply(self, exchange: HttpExchange, receive: Receive) -> Reply:
        try:
            return await self._answer(exchange, receive)
        except HttpApiError as error:
            exchange.error_message = error.message
            return error.reply()

    async def _answer(self, exchange: HttpExchange, receive: Receive) -> Reply:
        request, stage = exchange.request, exchange.stage
        await self._read(exchange, receive)
        match = stage.router.find(request.method, request.path)
        if match is not None:
            exchange.route, exchange.path_parameters = match
        else:
            exchange.route = stage.default
        preflight = stage.cors is not None and is_preflight(request)
        if preflight and stage.cors is not None and (exchange.route is None or not exchange.route.guarded):
            return stage.cors.preflight(request)
        if exchange.route is None:
            raise not_found()
        await self._admit(exchange)
        if preflight and stage.cors is not None:
            return stage.cors.preflight(request)
        if exchange.route.integration is None:
            raise internal_error()
        reply = await exchange.route.integration.answer(exchange)
        if stage.cors is not None:
            stage.cors.mark(request, reply)
        return reply

    async def _read(self, exchange: HttpExchange, receive: Receive) -> None:
        try:
            check_header_size(exchange.request)
        except GatewayError as error:
            raise headers_too_large() from error
        try:
            exchange.request.body = await read_body(receive)
        except GatewayError as error:
            raise body_too_large() from error

    async def _admit(self, exchange: HttpExchange) -> None:
        """Admit the request, or raise: 401, 403 or 429."""
        route, stage = exchange.route, exchange.stage
        assert route is not None
        if route.signed:
            try:
                invoked = InvocationTarget(
                    stage.account_id, stage.region, exchange.resource_arn, exchange.cloud_time
                )
                exchange.caller = authenticate(exchange.request, invoked, self._context.credentials)
            except GatewayError as error:
                exchange.authorizer_error = error.message
                raise forbidden() from error
        if route.authorizer is not None:
            await route.authorizer.authorize(exchange, route.scopes)
        if route.throttle is not None and not self._context.throttles.allow(
            ("http", stage.api_id, stage.name, route.key), route.throttle
        ):
            raise throttled()

    def _report(self, exchange: HttpExchange) -> None:
        metrics.record(exchange, self._context.metrics)
        if exchange.stage.access_log is not None:
            exchange.stage.access_log.write(
                partial(context_value, exchange), exchange.cloud_time, self._context.logs
            )
