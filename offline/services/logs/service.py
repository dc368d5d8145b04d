"""The service: moto's groups, streams and events, with subscription filters of ours."""

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs.models import LogsBackend, logs_backends

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.service import Call
from serinus.offline.services.logs.delivery import SubscriptionState
from serinus.offline.services.logs.subscriptions import Document, SubscriptionOperations

#: What moto acknowledges but never performs.
UNPERFORMED = frozenset({"PutMetricFilter", "TestMetricFilter"})


class Logs(SubscriptionOperations):
    """Insights queries, exports, destinations, deliveries and account policies are rejected by name."""

    name = "logs"
    missing_parameter = "InvalidParameterException"
    moto_operations = frozenset(
        {
            "CreateLogGroup",
            "CreateLogStream",
            "DeleteLogGroup",
            "DeleteRetentionPolicy",
            "DescribeLogGroups",
            "DescribeLogStreams",
            "FilterLogEvents",
            "GetLogEvents",
            "ListTagsForResource",
            "PutRetentionPolicy",
            "TagResource",
            "UntagResource",
        }
    )

    async def start(self) -> None:
        self.deliveries.resume()

    def snapshot(self) -> SubscriptionState:
        """Groups, streams, events and filters are moto's."""
        return self.deliveries.state

    def restore(self, saved: SubscriptionState) -> None:
        self.deliveries.state = saved

    def method_for(self, operation: str) -> Callable[[Call], Any] | None:
        return _refused if operation in UNPERFORMED else super().method_for(operation)

    async def put_log_events(self, call: Call) -> Document:
        """On the event loop: events and what filters make of them are saved together."""
        group, stream = call.params["logGroupName"], call.params["logStreamName"]
        backend: LogsBackend = logs_backends[call.account_id][call.region]
        if stream not in self.group(call.region, group).streams:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        events = [
            {"timestamp": event["timestamp"], "message": event["message"]} for event in call.params["logEvents"]
        ]
        stored = self.group(call.region, group).streams[stream].events
        before = len(stored)
        try:
            token, rejected = backend.put_log_events(group, stream, events)
        except JsonRESTError as error:
            raise AwsError(error.relative_error_type, str(error.message)) from error
        self.accept(call.region, group, stream, [(event.timestamp, event.message) for event in stored[before:]])
        return {"nextSequenceToken": token, **({"rejectedLogEventsInfo": rejected} if rejected else {})}


async def _refused(call: Call) -> None:
    raise NotModelled(f"logs:{call.operation}", "Only log events in the embedded metric format become metrics.")
