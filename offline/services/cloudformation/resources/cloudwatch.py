"""CloudWatch in CloudFormation: Alarm, CompositeAlarm, Dashboard."""

from typing import Any, ClassVar

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import members, missing_ok, retag, text
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

ALARM = words(
    "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions "
    "EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName "
    "Metrics Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit"
)
COMPOSITE = words(
    "ActionsEnabled ActionsSuppressor ActionsSuppressorExtensionPeriod ActionsSuppressorWaitPeriod AlarmActions "
    "AlarmDescription AlarmName AlarmRule InsufficientDataActions OKActions Tags"
)


class _AnyAlarm(ResourceType):
    """Both kinds of alarm: one call creates or updates them."""

    attributes = words("Arn")
    taggable = True
    operation: ClassVar[str]
    method: ClassVar[str]

    def create(self, request: ResourceRequest) -> ResourceState:
        name = request.properties.get("AlarmName") or request.name(255)
        extra = {"Tags": to_pairs(request.tags)} if request.tags else {}
        self._put(request, name, extra)
        return ResourceState(name, {"Arn": request.arn("cloudwatch", f"alarm:{name}")})

    def update(self, request: ResourceRequest) -> ResourceState:
        self._put(request, request.identity, {})
        cloudwatch, arn = request.client("cloudwatch"), request.attributes["Arn"]
        retag(cloudwatch, request, ResourceArn=arn)
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        client, name = request.client("cloudwatch"), request.identity
        with missing_ok("ResourceNotFound", "ResourceNotFoundException"):
            client.delete_alarms(AlarmNames=[name])

    def _put(self, request: ResourceRequest, name: str, extra: dict[str, Any]) -> None:
        client = request.client("cloudwatch")
        parameters = {key: value for key, value in request.properties.items() if key != "Tags"} | {
            "AlarmName": name
        }
        getattr(client, self.method)(**members(client, self.operation, parameters), **extra)


class CloudWatchAlarm(_AnyAlarm):
    type = "AWS::CloudWatch::Alarm"
    modelled = ALARM
    operation = "PutMetricAlarm"
    method = "put_metric_alarm"


class CompositeAlarm(_AnyAlarm):
    type = "AWS::CloudWatch::CompositeAlarm"
    modelled = COMPOSITE
    operation = "PutCompositeAlarm"
    method = "put_composite_alarm"


class CloudWatchDashboard(ResourceType):
    type = "AWS::CloudWatch::Dashboard"
    modelled = words("DashboardBody DashboardName")

    def create(self, request: ResourceRequest) -> ResourceState:
        return self._put(request, request.properties.get("DashboardName") or request.name(255))

    def update(self, request: ResourceRequest) -> ResourceState:
        return self._put(request, request.identity)

    def _put(self, request: ResourceRequest, name: str) -> ResourceState:
        body = text(request.properties["DashboardBody"])
        request.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
        return ResourceState(name)

    def delete(self, request: ResourceRequest) -> None:
        client = request.client("cloudwatch")
        with missing_ok("ResourceNotFound", "DashboardNotFoundError"):
            client.delete_dashboards(DashboardNames=[request.identity])
