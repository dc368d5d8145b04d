"""Serves REST APIs: one coroutine a request, entirely on the cloud's event loop."""

from functools import partial

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from serinus.offline.core.clock import monotonic
from serinus.offline.http.errors import GatewayError, blocked_by_firewall, no_such_route, no_such_stage
from serinus.offline.http.firewall import Firewall
from serinus.offline.http.gateway_context import GatewayContext
from serinus.offline.http.passage import new_trace_id
from serinus.offline.http.reply import Reply
from serinus.offline.http.request import Address, check_header_size, parse_request, read_body
from serinus.offline.http.send import respond
from serinus.offline.http.signature import InvocationTarget, authenticate
from serinus.offline.services.apigateway.service import ApiGateway
from serinus.offline.services.apigateway.serving import metrics
from serinus.offline.services.apigateway.serving.admission import BestEffort, admit
from serinus.offline.services.apigateway.serving.authorizer_event import method_arn
from serinus.offline.services.apigateway.serving.compiled import RestStage, compile_stage
from serinus.offline.services.apigateway.serving.compression import compress, decompress
from serinus.offline.services.apigateway.serving.context_variables import context_value
from serinus.offline.services.apigateway.serving.error_reply import error_reply
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.execution_log import write_execution_log
from serinus.offline.services.apigateway.serving.no_stage_response import unserved_reply


class RestGateway:
    """Serves every stage of every REST API of a cloud."""

    def __init__(self, context: GatewayContext, control_plane: ApiGateway, firewall: Firewall) -> None:
        self._context = context
        self._control_plane = control_plane
        self._firewall = firewall
        self._best_effort = BestEffort(context.cloud)
        self._compiled: dict[Address, tuple[int, RestStage]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send, address: Address | None) -> None:
        """Answer a request for ``address``, which is None if it names no API."""
        stage = self._stage(address) if address is not None else None
        if address is None or stage is None or (stage.endpoint_disabled and address.domain_name is None):
            await respond(send, unserved_reply(no_such_stage()))
            return
        cloud_time = self._context.cloud.clock.time()
        request = parse_request(scope, address)
        trace_id = request.header("x-amzn-trace-id") or new_trace_id(cloud_time)
        exchange = RestExchange(request, cloud_time, trace_id, stage=stage)
        try:
            reply = await self._reply(exchange, receive)
        except ClientDisconnect:
            return  # the client has disconnected
        finish(exchange, reply)
        await respond(send, reply)
        self._context.requests.note(exchange, stage.api_id, stage.name, reply)
        self._report(exchange)

    def _stage(self, address: Address) -> RestStage | None:
        """The compiled stage, recompiled if the control plane has changed."""
        key = Address(address.api_id, address.stage, "")
        revision, stage = self._compiled.get(key, (-1, None))
        if stage is None or revision != self._control_plane.revision:
            stage = self._compile(key)
            if stage is None:
                self._compiled.pop(key, None)
            else:
                self._compiled[key] = (self._control_plane.revision, stage)
        return stage

    def _compile(self, key: Address) -> RestStage | None:
        published = self._control_plane.published(key.api_id, key.stage)
        if published is None:
            return None
        usage = self._control_plane.stores[published.region].usage
        return compile_stage(published, usage, self._context.cloud.config.account_id, self._context.functions)

    async def _reply(self, exchange: RestExchange, receive: Receive) -> Reply:
        try:
            return await self._answer(exchange, receive)
        except GatewayError as error:
            return error_reply(exchange, error)

    async def _answer(self, exchange: RestExchange, receive: Receive) -> Reply:
        request, stage = exchange.request, exchange.stage
        check_header_size(request)
        request.body = await read_body(receive)
        self._check_firewall(exchange)
        match = stage.router.find(request.method, request.path)
        if match is None:
            raise no_such_route()
        exchange.route, exchange.path_parameters = match
        if exchange.route.signed:
            exchange.caller = authenticate(
                request,
                InvocationTarget(stage.account_id, stage.region, method_arn(exchange), exchange.cloud_time),
                self._context.credentials,
            )
        if exchange.route.authorizer is not None:
            await exchange.route.authorizer.authorize(exchange)
        admit(exchange, self._context.throttles, stage.usage, self._best_effort)
        if stage.minimum_compression_bytes is not None:
            decompress(request)
        if exchange.route.check is not None:
            exchange.route.check.check(exchange)
        reply = await exchange.route.integration.answer(exchange)
        reply.headers.append(("X-Amzn-Trace-Id", exchange.trace_id))
        if stage.minimum_compression_bytes is not None:
            compress(exchange, reply, stage.minimum_compression_bytes)
        return reply

    def _check_firewall(self, exchange: RestExchange) -> None:
        """Evaluate the stage's web ACL; AWS does so first."""
        stage = exchange.stage
        verdict = self._firewall.judge(stage.region, stage.control_arn, exchange.request, exchange.cloud_time)
        if verdict is not None and not verdict.allowed:
            raise blocked_by_firewall()

    def _report(self, exchange: RestExchange) -> None:
        metrics.record(exchange, self._context.metrics)
        write_execution_log(exchange, self._context.logs)
        if exchange.stage.access_log is not None:
            exchange.stage.access_log.write(
                partial(context_value, exchange), exchange.cloud_time, self._context.logs
            )


def finish(exchange: RestExchange, reply: Reply) -> None:
    """Add the headers of every response of a stage, and record the response."""
    reply.headers += [
        ("x-amzn-RequestId", exchange.request_id),
        ("x-amz-apigw-id", exchange.extended_request_id),
    ]
    exchange.status = reply.status
    exchange.response_length = len(reply.body)
    exchange.latency_ms = (monotonic() - exchange.started) * 1000
