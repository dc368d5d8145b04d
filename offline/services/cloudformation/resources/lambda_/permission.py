"""AWS::Lambda::Permission."""

import re

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

#: A function by name, partial or full ARN, with or without a permission's qualifier.
FUNCTION = re.compile(r"^(?P<function>(?:arn:[^:]+:lambda:[^:]+:\d+:function:)?[^:]+)(?::(?P<qualifier>[^:]+))?$")


class Permission(ResourceType):
    type = "AWS::Lambda::Permission"
    modelled = words(
        "Action EventSourceToken FunctionName FunctionUrlAuthType Principal PrincipalOrgID SourceAccount SourceArn"
    )
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        client, properties = request.client("lambda"), request.properties
        statement = request.name(100)
        rest = {key: value for key, value in properties.items() if key != "FunctionName"}
        client.add_permission(
            **_function_arguments(properties["FunctionName"]),
            StatementId=statement,
            **members(client, "AddPermission", rest),
        )
        return ResourceState(statement, {"Id": statement})

    def update(self, request: ResourceRequest) -> ResourceState:
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        arguments = _function_arguments(request.properties["FunctionName"])
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").remove_permission(**arguments, StatementId=request.identity)


def _function_arguments(function: str) -> dict[str, str]:
    match = FUNCTION.match(function)
    if match is None:
        return {"FunctionName": function}
    arguments = {"FunctionName": match["function"]}
    return arguments | {"Qualifier": match["qualifier"]} if match["qualifier"] else arguments
