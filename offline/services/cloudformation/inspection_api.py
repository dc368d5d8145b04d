"""Read-only API calls: stacks, their resources, events, templates and exports."""

from typing import Any

from serinus.offline.core.pages import position_of, token_for
from serinus.offline.core.service import Call
from serinus.offline.services.cloudformation import validation
from serinus.offline.services.cloudformation.base import ApiBase
from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.lookup import PSEUDO_PARAMETERS
from serinus.offline.services.cloudformation.shapes import (
    event_view,
    operation_event_view,
    present_members,
    resource_detail,
    resource_summary,
    stack_summary,
    stack_view,
    validation_event_views,
)
from serinus.offline.services.cloudformation.state import Stack, StackResource
from serinus.offline.services.cloudformation.template import StackTemplate

#: As observed on AWS; CloudFormation's documentation only limits a page to 1 MB.
EVENTS_A_PAGE = 100


class InspectionApi(ApiBase):
    """Describe*, List* and Get* of stacks and templates."""

    def describe_stacks(self, call: Call) -> dict[str, Any]:
        name = call.params.get("StackName")
        if name:
            return {"Stacks": [stack_view(self._known(call.region, name))]}
        stacks = [stack for stack in self._stacks(call.region) if stack.active]
        return {"Stacks": [stack_view(stack) for stack in reversed(stacks)]}

    def list_stacks(self, call: Call) -> dict[str, Any]:
        required = call.params.get("StackStatusFilter")
        stacks = [stack for stack in self._stacks(call.region) if not required or stack.status in required]
        return {"StackSummaries": [stack_summary(stack) for stack in reversed(stacks)]}

    def describe_stack_events(self, call: Call) -> dict[str, Any]:
        stack = self._stack_or_invalid(call.region, call.params["StackName"])
        # Tokens count from the oldest event, so that new events do not shift pages.
        end = _page_position(call, len(stack.events))
        begin = max(0, end - EVENTS_A_PAGE)
        answer: dict[str, Any] = {
            "StackEvents": [event_view(stack, event) for event in reversed(stack.events[begin:end])]
        }
        return {**answer, "NextToken": token_for(call.operation, begin)} if begin else answer

    def describe_events(self, call: Call) -> dict[str, Any]:
        params = call.params
        failed_only = (params.get("Filters") or {}).get("FailedEvents") is True
        if params.get("ChangeSetName"):
            stack, change_set = self.change_set(call)
            return {"OperationEvents": validation_event_views(stack, change_set)}
        operation_id = params.get("OperationId")
        if params.get("StackName"):
            stacks = [self._stack_or_invalid(call.region, params["StackName"])]
        elif operation_id:
            stacks = self._stacks(call.region)
        else:
            raise invalid("One of ChangeSetName, OperationId or StackName must be specified")
        return {
            "OperationEvents": [
                operation_event_view(stack, event)
                for stack in stacks
                for event in reversed(stack.events)
                if (not operation_id or event.operation_id == operation_id)
                and (not failed_only or event.status.endswith("_FAILED"))
            ]
        }

    def describe_stack_resource(self, call: Call) -> dict[str, Any]:
        stack = self._stack_or_invalid(call.region, call.params["StackName"], "Stack '{}' does not exist")
        resource = self._resource(stack, call.params["LogicalResourceId"])
        return {"StackResourceDetail": resource_detail(stack, resource)}

    def describe_stack_resources(self, call: Call) -> dict[str, Any]:
        stack = self._stack_of_resources(call)
        logical_id = call.params.get("LogicalResourceId")
        resources = [self._resource(stack, logical_id)] if logical_id else list(stack.resources.values())
        return {
            "StackResources": [
                {
                    "StackName": stack.name,
                    "StackId": stack.id,
                    **resource_summary(resource, time_key="Timestamp"),
                }
                for resource in resources
            ]
        }

    def _stack_of_resources(self, call: Call) -> Stack:
        name, physical_id = call.params.get("StackName"), call.params.get("PhysicalResourceId")
        if name:
            return self._stack_or_invalid(call.region, name, "Stack with id {} does not exist")
        for stack in self._stacks(call.region):
            if stack.active and any(r.physical_id == physical_id for r in stack.resources.values()):
                return stack
        raise invalid(f"Stack for {physical_id} does not exist")

    def list_stack_resources(self, call: Call) -> dict[str, Any]:
        stack = self._known(call.region, call.params["StackName"])
        return {"StackResourceSummaries": [resource_summary(resource) for resource in stack.resources.values()]}

    def _resource(self, stack: Stack, logical_id: str) -> StackResource:
        if logical_id not in stack.resources:
            raise invalid(f"Resource {logical_id} does not exist for stack {stack.name}")
        return stack.resources[logical_id]

    def get_template(self, call: Call) -> dict[str, Any]:
        stages = ["Original", "Processed"]
        if call.params.get("ChangeSetName"):
            _, change_set = self.change_set(call)
            return {"TemplateBody": change_set.revision.template.body, "StagesAvailable": stages}
        stack = self._known(call.region, call.params["StackName"])
        body = stack.revision.template.body if stack.revision else ""
        return {"TemplateBody": body, "StagesAvailable": stages}

    def get_template_summary(self, call: Call) -> dict[str, Any]:
        name = call.params.get("StackName")
        stack = self._known(call.region, name) if name else None
        if stack is not None and stack.revision is not None:
            template = stack.revision.template
        else:
            template = self.engine.submissions.template(call.params, call.region)
        return {
            "Parameters": [
                {**_declared(key, rule), "ParameterType": rule["Type"], "ParameterConstraints": _constraints(rule)}
                for key, rule in template.section("Parameters").items()
            ],
            "ResourceTypes": sorted({definition["Type"] for definition in template.resources.values()}),
            "Version": template.document.get("AWSTemplateFormatVersion"),
            **_capabilities(template),
            **present_members(Description=template.description),
        }

    def validate_template(self, call: Call) -> dict[str, Any]:
        template = self.engine.submissions.template(call.params, call.region)
        validation.check_structure(template, set(PSEUDO_PARAMETERS))
        return {
            "Parameters": [_declared(key, rule) for key, rule in template.section("Parameters").items()],
            **_capabilities(template),
            **present_members(Description=template.description),
        }

    def list_exports(self, call: Call) -> dict[str, Any]:
        return {
            "Exports": [
                {"ExportingStackId": stack.id, "Name": name, "Value": output.value}
                for name, (stack, output) in sorted(self.state.exports(call.region).items())
            ]
        }

    def list_imports(self, call: Call) -> dict[str, Any]:
        name = call.params["ExportName"]
        importers = self.state.importers(call.region, name)
        if not importers:
            raise invalid(f"Export '{name}' is not imported by any stack.")
        return {"Imports": importers}

    def list_hook_results(self, _: Call) -> dict[str, Any]:
        """Hooks cannot be registered here, so there are no results."""
        return {"HookResults": []}

    def _stacks(self, region: str) -> list[Stack]:
        return [stack for stack in list(self.state.stacks.values()) if stack.region == region]

    def _known(self, region: str, name: str) -> Stack:
        return self._stack_or_invalid(region, name, "Stack with id {} does not exist")


def _page_position(call: Call, end: int) -> int:
    """The end position of the page of ``NextToken``; ``end`` without a token."""
    token = call.params.get("NextToken")
    if token is None:
        return end
    position = position_of(call.operation, token)
    if position is None or not 0 < position <= end:
        raise invalid("Invalid NextToken")
    return position


def _declared(key: str, rule: dict[str, Any]) -> dict[str, Any]:
    default = rule.get("Default")
    declared = present_members(ParameterKey=key, Description=rule.get("Description"))
    if default is not None:
        declared["DefaultValue"] = str(default)
    declared["NoEcho"] = str(rule.get("NoEcho", "false")).lower() == "true"
    return declared


def _constraints(rule: dict[str, Any]) -> dict[str, Any]:
    return {"AllowedValues": [str(value) for value in rule["AllowedValues"]]} if "AllowedValues" in rule else {}


def _capabilities(template: StackTemplate) -> dict[str, Any]:
    required = validation.required_capability(template)
    if required is None:
        return {}
    types = ", ".join(validation.iam_resources(template))
    return {
        "Capabilities": [required],
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{types}]",
    }
