"""Parses calls and serializes responses by AWS's own service models, through moto's protocol code."""

import uuid
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationNotFoundError, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from werkzeug.exceptions import HTTPException

from serinus.offline.core.errors import AwsError, NotModelled


@dataclass(frozen=True, slots=True)
class AwsResponse:
    """The HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


def protocol_of(model: ServiceModel, request: Request) -> str:
    """The request's protocol, of those that its service supports: "json", "query", "rest-xml" ..."""
    protocol_name: str = determine_request_protocol(model, request.content_type)
    return protocol_name


def operation_of(model: ServiceModel, request: Request) -> tuple[str, dict[str, Any]]:
    """The operation's name and URL parameters; raises `NotModelled` if the model does not have it."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rsplit(".", 1)[-1], {}
    action = request.values.get("Action")
    if action and model.protocol in ("query", "ec2"):
        return action, {}
    try:
        operation, url_params = get_service_router(model.service_name).match(request)
    except (HTTPException, NotImplementedError) as error:
        raise NotModelled(f"{model.service_name}: {request.method} {request.path}") from error
    return operation.name, url_params


def read_parameters(
    model: ServiceModel, request: Request, operation: str, url_params: dict[str, Any]
) -> dict[str, Any]:
    """The call's parameters as boto3 would name them; raises `NotModelled` for an unknown operation."""
    try:
        operation_model = model.operation_model(operation)
    except OperationNotFoundError as error:
        raise NotModelled(f"{model.service_name}:{operation}") from error
    protocol = protocol_of(model, request)
    parser = PROTOCOL_PARSERS[protocol](operation_model)
    parsed: dict[str, Any] = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": url_params,
        }
    )
    return parsed


def write_answer(
    model: ServiceModel, request: Request, operation: str, result: dict[str, Any] | AwsError
) -> AwsResponse:
    """An operation's output, or an error in the shape that the service's clients parse."""
    try:
        operation_model = model.operation_model(operation)
    except OperationNotFoundError:
        operation_model = model.operation_model(model.operation_names[0])
    protocol = protocol_of(model, request)
    serializer = get_serializer_class(model.service_name, protocol)
    written = serializer(operation_model, SerializationContext(str(uuid.uuid4()))).serialize(result)
    status = written["status_code"]
    if isinstance(result, AwsError) and result.status is not None:
        status = result.status
    # HTTP forbids a body with 204, which some operations return.
    body = b"" if status == 204 else written["body"]
    headers = {key: str(value) for key, value in written["headers"].items()}
    return AwsResponse(int(status), headers, body.encode() if isinstance(body, str) else body)
