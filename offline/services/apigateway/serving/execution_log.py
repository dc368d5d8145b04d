"""Execution logs: the gateway's steps for a request, at the stage's logging level.

Lines that report a request's failure are AWS's; those of intermediate steps are not written.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

from serinus.offline.core.logs import LogWriter
from serinus.offline.services.apigateway.serving.exchange import RestExchange

#: AWS truncates a log event here.
LONGEST_LINE = 1024


def write_execution_log(exchange: RestExchange, logs: LogWriter) -> None:
    """Write the request's lines at the level of its method: INFO all, ERROR those of failed ones, OFF none."""
    level = exchange.route.logging_level if exchange.route is not None else "OFF"
    if level == "OFF" or (level == "ERROR" and exchange.status < 400):
        return
    stage = exchange.stage
    lines = [
        (exchange.cloud_time, f"({exchange.request_id}) {line}"[:LONGEST_LINE]) for line in trace_lines(exchange)
    ]
    logs.write(stage.region, f"API-Gateway-Execution-Logs_{stage.api_id}/{stage.name}", stage.log_stream, lines)


def trace_lines(exchange: RestExchange) -> list[str]:
    route = exchange.route
    assert route is not None
    lines = [
        f"Extended Request Id: {exchange.extended_request_id}",
        f"Starting execution for request: {exchange.request_id}",
        f"HTTP Method: {exchange.request.method}, Resource Path: {route.resource_path}",
    ]
    if exchange.client is not None:
        lines.append(f"API Key ID: {exchange.client.key['id']}, usage plan {exchange.client.plan['id']}")
    if exchange.integration_latency_ms is not None:
        lines.append(
            f"Received response. Status: {exchange.integration_status}, "
            f"Integration latency: {exchange.integration_latency_ms:.0f} ms"
        )
    if exchange.integration_error is not None:
        lines.append(exchange.integration_error)
    if exchange.error is not None and exchange.error.detail:
        lines.append(f"Request body or parameters do not match: {exchange.error.detail}")
    return [*lines, f"Method completed with status: {exchange.status}"]
