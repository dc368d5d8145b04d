"""The settings of asynchronous invocations: retries and destinations.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
"""

from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.services.lambda_.base import LambdaBase, invalid, not_found
from serinus.offline.services.lambda_.paging import page
from serinus.offline.services.lambda_.state import LATEST, EventInvokeConfig, Function

DESTINATION_SERVICES = ("sqs", "sns", "lambda", "events")


class EventInvokeOperations(LambdaBase):
    """Put, Update, Get, Delete and List of FunctionEventInvokeConfig."""

    async def put_function_event_invoke_config(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._event_target(call)
        settings = EventInvokeConfig(self.context.clock.time())
        return self._configured(function, qualifier, settings, call.params)

    async def update_function_event_invoke_config(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._event_target(call)
        settings = self._existing(function, qualifier)
        settings.last_modified = self.context.clock.time()
        return self._configured(function, qualifier, settings, call.params)

    async def get_function_event_invoke_config(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._event_target(call)
        return _shape(function, qualifier, self._existing(function, qualifier))

    async def delete_function_event_invoke_config(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._event_target(call)
        self._existing(function, qualifier)
        del function.event_invoke[qualifier]
        return {}

    async def list_function_event_invoke_configs(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, self.target(call).name)
        shapes = [_shape(function, qualifier, each) for qualifier, each in function.event_invoke.items()]
        shown, more = page(shapes, call)
        return {"FunctionEventInvokeConfigs": list(shown), **more}

    def _configured(
        self, function: Function, qualifier: str, settings: EventInvokeConfig, params: dict[str, Any]
    ) -> dict[str, Any]:
        if params.get("DestinationConfig") is not None:
            settings.destinations = _checked(params["DestinationConfig"])
        if params.get("MaximumRetryAttempts") is not None:
            settings.maximum_retry_attempts = params["MaximumRetryAttempts"]
        if params.get("MaximumEventAgeInSeconds") is not None:
            settings.maximum_event_age_s = params["MaximumEventAgeInSeconds"]
        function.event_invoke[qualifier] = settings
        return _shape(function, qualifier, settings)

    def _event_target(self, call: Call) -> tuple[Function, str]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        return function, self.require_qualifier(function, target.qualifier) or LATEST

    def _existing(self, function: Function, qualifier: str) -> EventInvokeConfig:
        settings = function.event_invoke.get(qualifier)
        if settings is None:
            arn = f"{function.arn}:{qualifier}"
            raise not_found(f"The function {arn} doesn't have an EventInvokeConfig")
        return settings


def _checked(destinations: dict[str, Any]) -> dict[str, Any]:
    for kind, destination in destinations.items():
        arn = (destination or {}).get("Destination")
        parts = arn.split(":") if arn else []
        if arn and (len(parts) < 6 or parts[2] not in DESTINATION_SERVICES):
            raise invalid(f"The provided destination config DestinationConfig({kind}={arn}) is invalid.")
    return {
        kind: destination for kind, destination in destinations.items() if (destination or {}).get("Destination")
    }


def _shape(function: Function, qualifier: str, settings: EventInvokeConfig) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "FunctionArn": f"{function.arn}:{qualifier}",
        "LastModified": settings.last_modified,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}, **settings.destinations},
    }
    if settings.maximum_retry_attempts is not None:
        shape["MaximumRetryAttempts"] = settings.maximum_retry_attempts
    if settings.maximum_event_age_s is not None:
        shape["MaximumEventAgeInSeconds"] = settings.maximum_event_age_s
    return shape
