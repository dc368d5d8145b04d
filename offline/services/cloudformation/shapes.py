"""Stacks, resources, events and change sets in the API's shapes."""

import json
from datetime import UTC, datetime
from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.state import ChangeSet, Revision, Stack, StackEvent, StackResource

NO_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}
NO_RESOURCE_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}


def moment(epoch_s: float) -> datetime:
    """Epoch seconds as an aware datetime, for responses."""
    return datetime.fromtimestamp(round(epoch_s, 3), UTC)


def present_members(**members: Any) -> dict[str, Any]:
    """The members with a value."""
    return {name: value for name, value in members.items() if value not in (None, "")}


def parameter_view(revision: Revision | None) -> list[dict[str, Any]]:
    if revision is None:
        return []
    shown: list[dict[str, Any]] = []
    for value in revision.parameters.values():
        item = {"ParameterKey": value.key, "ParameterValue": "****" if value.no_echo else value.raw}
        if value.from_ssm:
            resolved = value.resolved
            item["ResolvedValue"] = ",".join(resolved) if isinstance(resolved, list) else resolved
        shown.append(item)
    return shown


def stack_view(stack: Stack) -> dict[str, Any]:
    revision = stack.revision
    operation = {"OperationType": stack.operation_type, "OperationId": stack.operation_id}
    return {
        **present_members(
            StackId=stack.id,
            StackName=stack.name,
            ChangeSetId=stack.change_set_id,
            Description=revision.template.description if revision else None,
            StackStatusReason=stack.reason,
            RoleARN=revision.role_arn if revision else None,
            ParentId=stack.parent_id,
            RootId=stack.root_id,
            TimeoutInMinutes=stack.timeout_minutes,
            LastUpdatedTime=moment(stack.updated) if stack.updated else None,
            DeletionTime=moment(stack.deleted) if stack.deleted else None,
            DeploymentConfig=stack.deployment_config or None,
            RetainExceptOnCreate=stack.retain_except_on_create or None,
        ),
        "CreationTime": moment(stack.created),
        "StackStatus": stack.status,
        "Parameters": parameter_view(revision),
        "DisableRollback": stack.disable_rollback,
        "RollbackConfiguration": {},
        "NotificationARNs": [],
        "Capabilities": list(revision.capabilities) if revision else [],
        "Tags": to_pairs(revision.tags) if revision else [],
        "EnableTerminationProtection": stack.termination_protection,
        "DriftInformation": NO_DRIFT,
        "Outputs": [
            present_members(OutputKey=o.key, Description=o.description, ExportName=o.export)
            | {"OutputValue": o.value}
            for o in stack.outputs
        ],
        "LastOperations": [operation] if stack.operation_id else [],
    }


def stack_summary(stack: Stack) -> dict[str, Any]:
    return present_members(
        StackId=stack.id,
        StackName=stack.name,
        TemplateDescription=stack.revision.template.description if stack.revision else None,
        CreationTime=moment(stack.created),
        LastUpdatedTime=moment(stack.updated) if stack.updated else None,
        DeletionTime=moment(stack.deleted) if stack.deleted else None,
        StackStatus=stack.status,
        StackStatusReason=stack.reason,
        ParentId=stack.parent_id,
        RootId=stack.root_id,
        DriftInformation=NO_DRIFT,
    )


def resource_summary(resource: StackResource, *, time_key: str = "LastUpdatedTimestamp") -> dict[str, Any]:
    return {
        **present_members(
            LogicalResourceId=resource.logical_id,
            PhysicalResourceId=resource.physical_id,
            ResourceType=resource.type,
            ResourceStatus=resource.status,
            ResourceStatusReason=resource.reason,
        ),
        time_key: moment(resource.updated),
        "DriftInformation": NO_RESOURCE_DRIFT,
    }


def resource_detail(stack: Stack, resource: StackResource) -> dict[str, Any]:
    metadata = json.dumps(resource.definition.get("Metadata") or {})
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        **resource_summary(resource),
        "Metadata": metadata,
    }


def event_view(stack: Stack, event: StackEvent) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "EventId": event.event_id,
        "OperationId": event.operation_id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": moment(event.time),
        "ResourceStatus": event.status,
        **present_members(
            ResourceStatusReason=event.reason, ResourceProperties=event.properties, ClientRequestToken=event.token
        ),
    }


def operation_event_view(stack: Stack, event: StackEvent) -> dict[str, Any]:
    shown = event_view(stack, event)
    del shown["StackName"]
    shown["EventType"] = "PROVISIONING_ERROR" if event.status.endswith("_FAILED") else "PROGRESS_EVENT"
    return shown


def validation_event_views(stack: Stack, change_set: ChangeSet) -> list[dict[str, Any]]:
    return [
        {
            "EventId": f"{change_set.operation_id}-{index}",
            "StackId": stack.id,
            "OperationId": change_set.operation_id,
            "OperationType": "CREATE_CHANGESET",
            "EventType": "VALIDATION_ERROR",
            "LogicalResourceId": failure.logical_id,
            "PhysicalResourceId": "",
            "ResourceType": failure.type,
            "Timestamp": moment(change_set.created),
            "ValidationFailureMode": "FAIL",
            "ValidationName": "PROPERTY_VALIDATION",
            "ValidationStatus": "FAILED",
            "ValidationStatusReason": failure.message,
            "ValidationPath": failure.path,
        }
        for index, failure in enumerate(change_set.failures)
    ]


def change_set_summary(stack: Stack, change_set: ChangeSet) -> dict[str, Any]:
    return {
        **present_members(
            StackId=stack.id,
            StackName=stack.name,
            ChangeSetId=change_set.id,
            ChangeSetName=change_set.name,
            ExecutionStatus=change_set.execution_status,
            Status=change_set.status,
            StatusReason=change_set.reason,
            Description=change_set.description,
        ),
        "CreationTime": moment(change_set.created),
        "IncludeNestedStacks": change_set.include_nested,
        "ImportExistingResources": change_set.import_existing,
    }


def change_set_view(stack: Stack, change_set: ChangeSet, *, with_values: bool) -> dict[str, Any]:
    revision = change_set.revision
    return {
        **change_set_summary(stack, change_set),
        "Parameters": parameter_view(revision),
        "Capabilities": list(revision.capabilities),
        "Tags": to_pairs(revision.tags),
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Changes": [_change(change, with_values=with_values) for change in change_set.changes],
        **present_members(
            OnStackFailure=change_set.on_failure, DeploymentConfig=change_set.deployment_config or None
        ),
    }


def _change(change: dict[str, Any], *, with_values: bool) -> dict[str, Any]:
    if with_values:
        return change
    resource = {k: v for k, v in change["ResourceChange"].items() if k not in ("BeforeContext", "AfterContext")}
    resource["Details"] = [
        {
            **detail,
            "Target": {
                k: detail["Target"][k]
                for k in ("Attribute", "Name", "RequiresRecreation")
                if k in detail["Target"]
            },
        }
        for detail in resource["Details"]
    ]
    return {**change, "ResourceChange": resource}
