"""CloudWatch in CloudFormation: Alarm, CompositeAlarm, Dashboard."""

from typing import Any, ClassVar

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import members, missing_ok, retag, text
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words

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
    """Both kinds of alarm: one call puts them, whether they exist or not."""

    attributes = words("Arn")
    taggable = True
    operation: ClassVar[str]
    method: ClassVar[str]

    def create(self, request: Request) -> Made:
        name = request.properties.get("AlarmName") or request.name(255)
        extra = {"Tags": to_pairs(request.tags)} if request.tags else {}
        self._put(request, name, extra)
        return Made(name, {"Arn": request.arn("cloudwatch", f"alarm:{name}")})

    def update(self, request: Request) -> Made:
        self._put(request, request.identity, {})
        cloudwatch, arn = request.client("cloudwatch"), request.attributes["Arn"]
        retag(cloudwatch, request, ResourceArn=arn)
        return Made(request.identity, request.attributes)

    def delete(self, request: Request) -> None:
        client, name = request.client("cloudwatch"), request.identity
        with missing_ok("ResourceNotFound", "ResourceNotFoundException"):
            client.delete_alarms(AlarmNames=[name])

    def _put(self, request: Request, name: str, extra: dict[str, Any]) -> None:
        client = request.client("cloudwatch")
        given = {key: value for key, value in request.properties.items() if key != "Tags"} | {"AlarmName": name}
        getattr(client, self.method)(**members(client, self.operation, given), **extra)


class Alarm(_AnyAlarm):
    type = "AWS::CloudWatch::Alarm"
    modelled = ALARM
    operation = "PutMetricAlarm"
    method = "put_metric_alarm"


class CompositeAlarm(_AnyAlarm):
    type = "AWS::CloudWatch::CompositeAlarm"
    modelled = COMPOSITE
    operation = "PutCompositeAlarm"
    method = "put_composite_alarm"


class Dashboard(ResourceType):
    type = "AWS::CloudWatch::Dashboard"
    modelled = words("DashboardBody DashboardName")

    def create(self, request: Request) -> Made:
        return self._put(request, request.properties.get("DashboardName") or request.name(255))

    def update(self, request: Request) -> Made:
        return self._put(request, request.identity)

    def _put(self, request: Request, name: str) -> Made:
        body = text(request.properties["DashboardBody"])
        request.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
        return Made(name)

    def delete(self, request: Request) -> None:
        client = request.client("cloudwatch")
        with missing_ok("ResourceNotFound", "DashboardNotFoundError"):
            client.delete_dashboards(DashboardNames=[request.identity])
