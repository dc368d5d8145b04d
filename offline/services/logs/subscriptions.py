"""PutSubscriptionFilter, DescribeSubscriptionFilters, DeleteSubscriptionFilter.

Filters are kept in moto's log groups, which they do not outlive. A filter that sends a function its own log is
rejected: it would run for ever.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
"""

import re
from typing import Any

from moto.logs.models import LogGroup, SubscriptionFilter, logs_backends

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import CloudContext, FunctionInvoker, Ports
from serinus.offline.core.service import Call, Service
from serinus.offline.services.logs.delivery import LogDeliveries, function_of, may_invoke
from serinus.offline.services.logs.pattern import parse

Document = dict[str, Any]

MOST_FILTERS = 2
#: Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html
PAGE = 50
FUNCTION = re.compile(r"arn:aws:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?")
UNMODELLED_MEMBERS = ("applyOnTransformedLogs", "emitSystemFields", "fieldSelectionCriteria")
#: AWS's message also for a function that does not exist.
CANNOT_EXECUTE = (
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function."
)


class SubscriptionOperations(Service):
    """A log group's filters, and the delivery of what they match."""

    deliveries: LogDeliveries

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.functions: FunctionInvoker

    def connect(self, ports: Ports) -> None:
        self.functions = ports.functions
        self.deliveries = LogDeliveries(self.context, ports.functions)

    async def put_subscription_filter(self, call: Call) -> Document:
        group, name = self.group(call.region, call.params["logGroupName"]), call.params["filterName"]
        self._check_filter(call)
        if name not in group.subscription_filters and len(group.subscription_filters) >= MOST_FILTERS:
            raise AwsError("LimitExceededException", "Resource limit exceeded.")
        group.subscription_filters[name] = SubscriptionFilter(
            name, group.name, call.params["filterPattern"], call.params["destinationArn"], role_arn=""
        )
        self.deliveries.state.paused_until.pop((call.region, group.name, name), None)
        return {}

    async def describe_subscription_filters(self, call: Call) -> Document:
        group = self.group(call.region, call.params["logGroupName"])
        prefix = call.params.get("filterNamePrefix") or ""
        listed = [
            shown(each) for name, each in sorted(group.subscription_filters.items()) if name.startswith(prefix)
        ]
        size = min(int(call.params.get("limit") or PAGE), PAGE)
        unknown = invalid("The specified nextToken is invalid.")
        found, more = pages.page(
            listed,
            size,
            call.params.get("nextToken"),
            operation=call.operation,
            member="nextToken",
            unknown=unknown,
        )
        return {"subscriptionFilters": found, **more}

    async def delete_subscription_filter(self, call: Call) -> Document:
        group = self.group(call.region, call.params["logGroupName"])
        if group.subscription_filters.pop(call.params["filterName"], None) is None:
            raise AwsError("ResourceNotFoundException", "The specified subscription filter does not exist.")
        return {}

    def accept(self, region: str, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        """Deliver what filters match of ``events`` (timestamp in ms, message), which were just stored."""
        for each in self.group(region, group).subscription_filters.values():
            matches = parse(each.filter_pattern)
            matched = [event for event in events if matches(event[1])]
            if matched:
                self.deliveries.add((region, group, each.name), stream, each.destination_arn, matched)

    def group(self, region: str, name: str) -> LogGroup:
        backend = logs_backends[self.context.config.account_id][region]
        group: LogGroup | None = backend.groups.get(name)
        if group is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def _check_filter(self, call: Call) -> None:
        """Raise unless ``call`` describes a filter that can be delivered, to a function that allows it."""
        group, destination = call.params["logGroupName"], call.params["destinationArn"]
        for member in UNMODELLED_MEMBERS:
            if call.params.get(member):
                raise NotModelled(f"logs: {member} of a subscription filter")
        if call.params.get("distribution", "ByLogStream") != "ByLogStream":
            raise NotModelled("logs: the distribution Random", "Functions receive batches of one stream each.")
        if not destination.startswith("arn:aws:lambda:"):
            raise NotModelled(f"logs: subscription filters to {destination}", "Use a function.")
        if call.params.get("roleArn"):
            raise invalid("destinationArn for vendor lambda cannot be used with roleArn")
        if FUNCTION.fullmatch(destination) is None:
            raise invalid(f"{destination} is not the ARN of a function")
        parse(call.params["filterPattern"])
        self._check_permission(call, group, destination)

    def _check_permission(self, call: Call, group: str, destination: str) -> None:
        _, _, _, region, account_id, *_ = destination.split(":")
        if (region, account_id) != (call.region, call.account_id):
            raise invalid(CANNOT_EXECUTE)
        try:
            allowed = may_invoke(self.functions, call.account_id, region, group, destination)
            own_group = self.functions.log_group(region, function_of(destination)[0])
        except AwsError as error:
            raise invalid(CANNOT_EXECUTE) from error
        if not allowed:
            raise invalid(CANNOT_EXECUTE)
        if own_group == group:
            raise NotModelled(f"logs: a filter that sends a function its own log ({group})", "It would never end.")


def shown(each: SubscriptionFilter) -> Document:
    """A filter as DescribeSubscriptionFilters shows it."""
    return {key: value for key, value in each.to_json().items() if value != ""} | {
        "filterPattern": each.filter_pattern
    }


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
