"""Parameter mapping expressions: 'literal', method.request.*, context.*, stageVariables.*.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
"""

from serinus.offline.http.event_headers import merged
from serinus.offline.services.apigateway.serving.context_variables import context_value
from serinus.offline.services.apigateway.serving.exchange import RestExchange


def mapped_value(source: str, exchange: RestExchange) -> str | None:
    """The value of ``source`` in this request; None if the request lacks it."""
    if len(source) >= 2 and source[0] == source[-1] == "'":
        return source[1:-1]
    kind, _, rest = source.partition(".")
    if kind == "context":
        return context_value(exchange, rest)
    if kind == "stageVariables":
        return exchange.stage.variables.get(rest)
    if source.startswith("method.request."):
        return request_parameter(source, exchange)
    return None


def request_parameter(source: str, exchange: RestExchange) -> str | None:
    """A parameter named as ``method.request.{path,querystring,header}.name``."""
    location, _, name = source.removeprefix("method.request.").partition(".")
    match location:
        case "header":
            return exchange.request.header(name.lower())
        case "querystring":
            return merged(exchange.request.query)[0].get(name)
        case "path":
            return exchange.path_parameters.get(name)
    return None
