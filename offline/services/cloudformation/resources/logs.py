"""CloudWatch Logs in CloudFormation: LogGroup, SubscriptionFilter."""

from serinus.offline.services.cloudformation.adapter import missing_ok, retag, to_input
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class LogGroup(ResourceType):
    type = "AWS::Logs::LogGroup"
    modelled = words("KmsKeyId LogGroupName RetentionInDays Tags")
    attributes = words("Arn")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        logs, properties = request.client("logs"), request.properties
        name = properties.get("LogGroupName") or request.name(512)
        extra = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        if request.tags:
            extra["tags"] = request.tags
        logs.create_log_group(logGroupName=name, **extra)
        request.register_id(name)
        self._retain(request, name)
        return ResourceState(name, {"Arn": request.arn("logs", f"log-group:{name}:*")})

    def update(self, request: ResourceRequest) -> ResourceState:
        logs, name = request.client("logs"), request.identity
        self._retain(request, name)
        arn = request.attributes["Arn"].removesuffix(":*")
        if request.changed("KmsKeyId"):
            key = request.properties.get("KmsKeyId")
            if key:
                logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
            else:
                logs.disassociate_kms_key(logGroupName=name)
        retag(logs, request, ResourceArn=arn)
        return ResourceState(name, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        logs, name = request.client("logs"), request.identity
        with missing_ok("ResourceNotFoundException"):
            logs.delete_log_group(logGroupName=name)

    def _retain(self, request: ResourceRequest, name: str) -> None:
        if not request.changed("RetentionInDays"):
            return
        logs, days = request.client("logs"), request.properties.get("RetentionInDays")
        if days is None:
            logs.delete_retention_policy(logGroupName=name)
        else:
            logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))


class SubscriptionFilter(ResourceType):
    type = "AWS::Logs::SubscriptionFilter"
    modelled = words("DestinationArn Distribution FilterName FilterPattern LogGroupName RoleArn")

    def create(self, request: ResourceRequest) -> ResourceState:
        name = request.properties.get("FilterName") or request.name(512)
        return self._put(request, name)

    def update(self, request: ResourceRequest) -> ResourceState:
        return self._put(request, request.identity)

    def _put(self, request: ResourceRequest, name: str) -> ResourceState:
        logs = request.client("logs")
        properties = {**request.properties, "FilterName": name}
        logs.put_subscription_filter(**to_input(logs, "PutSubscriptionFilter", properties))
        return ResourceState(name)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("ResourceNotFoundException"):
            request.client("logs").delete_subscription_filter(
                logGroupName=request.properties["LogGroupName"], filterName=request.identity
            )
