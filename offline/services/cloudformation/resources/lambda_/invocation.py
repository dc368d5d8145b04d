"""AWS::Lambda::EventInvokeConfig and EventSourceMapping."""

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class LambdaEventInvokeConfig(ResourceType):
    type = "AWS::Lambda::EventInvokeConfig"
    modelled = words("DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier")

    def create(self, request: ResourceRequest) -> ResourceState:
        return self._put(request, request.name(128))

    def update(self, request: ResourceRequest) -> ResourceState:
        return self._put(request, request.identity)

    def _put(self, request: ResourceRequest, identity: str) -> ResourceState:
        client = request.client("lambda")
        client.put_function_event_invoke_config(
            **members(client, "PutFunctionEventInvokeConfig", request.properties)
        )
        return ResourceState(identity)

    def delete(self, request: ResourceRequest) -> None:
        identifiers = {key: request.properties[key] for key in ("FunctionName", "Qualifier")}
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_function_event_invoke_config(**identifiers)


class EventSourceMapping(ResourceType):
    type = "AWS::Lambda::EventSourceMapping"
    modelled = words(
        "BatchSize BisectBatchOnFunctionError Enabled EventSourceArn FilterCriteria FunctionName "
        "FunctionResponseTypes MaximumBatchingWindowInSeconds MaximumRecordAgeInSeconds MaximumRetryAttempts "
        "ParallelizationFactor ScalingConfig StartingPosition"
    )
    attributes = words("EventSourceMappingArn Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        client = request.client("lambda")
        response = client.create_event_source_mapping(
            **members(client, "CreateEventSourceMapping", request.properties)
        )
        region_arn = request.arn("lambda", f"event-source-mapping:{response['UUID']}")
        arn = response.get("EventSourceMappingArn", region_arn)
        return ResourceState(response["UUID"], {"Id": response["UUID"], "EventSourceMappingArn": arn})

    def update(self, request: ResourceRequest) -> ResourceState:
        client = request.client("lambda")
        client.update_event_source_mapping(
            UUID=request.identity, **members(client, "UpdateEventSourceMapping", request.properties)
        )
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_event_source_mapping(UUID=request.identity)
