"""DynamoDB in CloudFormation: Table."""

from collections.abc import Iterable
from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import members, missing_ok, retag, to_boolean
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.intrinsics import plain
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

UPDATED_AT_ONCE = words("BillingMode DeletionProtectionEnabled ProvisionedThroughput SSESpecification TableClass")


class Table(ResourceType):
    type = "AWS::DynamoDB::Table"
    modelled = words(
        "AttributeDefinitions BillingMode DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema "
        "LocalSecondaryIndexes PointInTimeRecoverySpecification ProvisionedThroughput SSESpecification "
        "StreamSpecification TableClass TableName Tags TimeToLiveSpecification"
    )
    attributes = words("Arn StreamArn")
    replacing = words("KeySchema LocalSecondaryIndexes")
    taggable = True

    def check(self, properties: dict[str, Any]) -> Iterable[str]:
        stream = properties.get("StreamSpecification")
        if isinstance(stream, dict) and "ResourcePolicy" in stream:
            yield "the property StreamSpecification.ResourcePolicy"

    def create(self, request: ResourceRequest) -> ResourceState:
        dynamodb, desired = request.client("dynamodb"), request.properties
        name = desired.get("TableName") or request.name(255)
        parameters = _api_names(desired) | {"TableName": name}
        tags = {"Tags": to_pairs(request.tags)} if request.tags else {}
        parameters.pop("Tags", None)
        dynamodb.create_table(**members(dynamodb, "CreateTable", parameters), **tags)
        request.register_id(name)
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        _configure(dynamodb, name, request)
        return _state_of(dynamodb, name)

    def update(self, request: ResourceRequest) -> ResourceState:
        dynamodb, name, desired = request.client("dynamodb"), request.identity, request.properties
        parameters = _api_names(desired)
        changes = {
            key: parameters[key] for key in sorted(UPDATED_AT_ONCE) if request.changed(key) and key in parameters
        }
        if request.changed("StreamSpecification"):
            changes["StreamSpecification"] = parameters.get("StreamSpecification", {"StreamEnabled": False})
        if changes:
            dynamodb.update_table(TableName=name, **members(dynamodb, "UpdateTable", changes))
        _settle_indexes(dynamodb, name, request)
        _configure(dynamodb, name, request)
        arn = request.attributes["Arn"]
        retag(dynamodb, request, ResourceArn=arn)
        return _state_of(dynamodb, name)

    def delete(self, request: ResourceRequest) -> None:
        dynamodb, name = request.client("dynamodb"), request.identity
        with missing_ok("ResourceNotFoundException"):
            dynamodb.delete_table(TableName=name)


def _api_names(properties: dict[str, Any]) -> dict[str, Any]:
    parameters = dict(properties)
    if "StreamSpecification" in parameters:
        parameters["StreamSpecification"] = {**parameters["StreamSpecification"], "StreamEnabled": True}
    if "SSESpecification" in parameters:
        parameters["SSESpecification"] = {
            "Enabled" if key == "SSEEnabled" else key: value
            for key, value in parameters["SSESpecification"].items()
        }
    return parameters


def _settle_indexes(dynamodb: Any, name: str, request: ResourceRequest) -> None:
    """Create and delete global secondary indexes one at a time, as the API requires."""
    old = {item["IndexName"]: item for item in (request.previous or {}).get("GlobalSecondaryIndexes") or ()}
    new = {item["IndexName"]: item for item in request.properties.get("GlobalSecondaryIndexes") or ()}
    for index in old:
        if index in new and plain(old[index]) != plain(new[index]):
            raise ResourceFailed(
                f"Cannot update GSI's properties other than Provisioned Throughput. Index {index} changed; give "
                "the changed index another name."
            )
    updates = [{"Delete": {"IndexName": index}} for index in old if index not in new]
    updates += [{"Create": item} for index, item in new.items() if index not in old]
    definitions = request.properties["AttributeDefinitions"]
    for update in updates:
        changes = {"GlobalSecondaryIndexUpdates": [update], "AttributeDefinitions": definitions}
        dynamodb.update_table(TableName=name, **members(dynamodb, "UpdateTable", changes))


def _configure(dynamodb: Any, name: str, request: ResourceRequest) -> None:
    desired, previous = request.properties, request.previous or {}
    if request.changed("TimeToLiveSpecification"):
        ttl = desired.get("TimeToLiveSpecification") or {**previous["TimeToLiveSpecification"], "Enabled": False}
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"AttributeName": ttl["AttributeName"], "Enabled": to_boolean(ttl["Enabled"])},
        )
    if request.changed("PointInTimeRecoverySpecification"):
        recovery = desired.get("PointInTimeRecoverySpecification") or {}
        enabled = to_boolean(recovery.get("PointInTimeRecoveryEnabled", False))
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )


def _state_of(dynamodb: Any, name: str) -> ResourceState:
    table = dynamodb.describe_table(TableName=name)["Table"]
    attributes = {"Arn": table["TableArn"]}
    if "LatestStreamArn" in table:
        attributes["StreamArn"] = table["LatestStreamArn"]
    return ResourceState(name, attributes)
