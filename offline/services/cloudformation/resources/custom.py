"""Custom resources: created by a function, which responds to a URL of this cloud."""

import json
import uuid
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.intrinsics import plain
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

DEFAULT_TIMEOUT_S = LONGEST_TIMEOUT_S = 3600
MOST_ID_LETTERS = 128
POLL_S = 0.05
NO_ANSWER = (
    "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId "
    "[{}]. If you are using the Python cfn-response module, you may need to update your Lambda function so that "
    "CloudFormation can attach the updated version."
)


class CustomResource(ResourceType):
    """``AWS::CloudFormation::CustomResource`` and every ``Custom::*``; the function receives any property."""

    type = "AWS::CloudFormation::CustomResource"
    modelled = words("*")
    lasting = True

    def create(self, request: ResourceRequest) -> ResourceState:
        """As on AWS, a resource that could not be created is deleted all the same, under the id in its response
        or, without a response, under one of CloudFormation's own: the function's progress is unknown.
        https://github.com/aws/aws-cdk/pull/5525, https://github.com/aws/aws-cdk/pull/36951
        """
        try:
            return self._ask(request, "Create", {})
        except ResourceFailed:
            request.register_id(request.name(MOST_ID_LETTERS))
            raise

    def update(self, request: ResourceRequest) -> ResourceState:
        extra = {
            "PhysicalResourceId": request.identity,
            "OldResourceProperties": _handed_over(request.previous or {}),
        }
        return self._ask(request, "Update", extra)

    def delete(self, request: ResourceRequest) -> None:
        self._ask(request, "Delete", {"PhysicalResourceId": request.identity})

    def _ask(self, request: ResourceRequest, kind: str, extra: dict[str, Any]) -> ResourceState:
        answers = request.engine.answers
        request_id = str(uuid.uuid4())
        answer = answers.expect(request_id)
        event = {
            "RequestType": kind,
            "ServiceToken": request.properties["ServiceToken"],
            "ResponseURL": answers.url(request_id),
            "StackId": request.stack_id,
            "RequestId": request_id,
            "LogicalResourceId": request.logical_id,
            "ResourceType": request.type,
            "ResourceProperties": _handed_over(request.properties),
            **extra,
        }
        try:
            _send(request, event)
            return _state_of(request, _wait(request, request_id, answer), request_id, kind)
        finally:
            answers.forget(request_id)


def timeout_failure(properties: dict[str, Any]) -> str | None:
    """The error in a ServiceTimeout, resolved or not; None if it is valid.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html
    """
    value = properties.get("ServiceTimeout", DEFAULT_TIMEOUT_S)
    if isinstance(value, dict):
        return None  # an intrinsic function: checked again once it is resolved
    text = str(value)
    if not isinstance(value, bool) and text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST_TIMEOUT_S:
        return None
    return f"ServiceTimeout must be an integer from 1 to {LONGEST_TIMEOUT_S}; it is {value!r}"


def _handed_over(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties as the function receives them: every scalar as text."""
    handed: dict[str, Any] = plain({key: value for key, value in properties.items() if key != "ServiceTimeout"})
    return handed


def _send(request: ResourceRequest, event: dict[str, Any]) -> None:
    token, payload = request.properties["ServiceToken"], json.dumps(event)
    if ":sns:" in token:
        request.client("sns").publish(
            TopicArn=token, Message=payload, Subject="AWS CloudFormation custom resource request"
        )
    else:
        request.client("lambda").invoke(FunctionName=token, InvocationType="Event", Payload=payload)


def _wait(request: ResourceRequest, request_id: str, answer: "Future[dict[str, Any]]") -> dict[str, Any]:
    clock = request.context.clock
    deadline = clock.time() + float(request.properties.get("ServiceTimeout", DEFAULT_TIMEOUT_S))
    with clock.waiting_for(answer):
        while True:
            try:
                return answer.result(POLL_S)
            except NotYet:
                if clock.time() >= deadline:
                    raise ResourceFailed(NO_ANSWER.format(request_id)) from None
                if request.cancelled.is_set():
                    raise ResourceFailed("Resource creation cancelled") from None


def _state_of(request: ResourceRequest, answer: dict[str, Any], request_id: str, kind: str) -> ResourceState:
    identity = answer.get("PhysicalResourceId")
    if answer.get("Status") != "SUCCESS":
        if identity and kind == "Create":
            request.register_id(identity)
        status, reason = answer.get("Status"), answer.get("Reason")
        raise ResourceFailed(
            f"Received response status [{status}] from custom resource. Message returned: {reason} "
            f"(RequestId: {request_id})"
        )
    if not identity and kind == "Create":
        raise ResourceFailed("Invalid PhysicalResourceId")
    return ResourceState(str(identity or request.physical_id), dict(answer.get("Data") or {}))
