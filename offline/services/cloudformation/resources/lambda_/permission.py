"""AWS::Lambda::Permission."""

import re

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words

#: A function by name, partial or full ARN, with or without the qualifier that a permission may stand on.
FUNCTION = re.compile(r"^(?P<function>(?:arn:[^:]+:lambda:[^:]+:\d+:function:)?[^:]+)(?::(?P<qualifier>[^:]+))?$")


class Permission(ResourceType):
    type = "AWS::Lambda::Permission"
    modelled = words(
        "Action EventSourceToken FunctionName FunctionUrlAuthType Principal PrincipalOrgID SourceAccount SourceArn"
    )
    attributes = words("Id")

    def create(self, request: Request) -> Made:
        client, wanted = request.client("lambda"), request.properties
        statement = request.name(100)
        rest = {key: value for key, value in wanted.items() if key != "FunctionName"}
        client.add_permission(
            **_place(wanted["FunctionName"]), StatementId=statement, **members(client, "AddPermission", rest)
        )
        return Made(statement, {"Id": statement})

    def update(self, request: Request) -> Made:
        return Made(request.identity, request.attributes)

    def delete(self, request: Request) -> None:
        place = _place(request.properties["FunctionName"])
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").remove_permission(**place, StatementId=request.identity)


def _place(function: str) -> dict[str, str]:
    match = FUNCTION.match(function)
    if match is None:
        return {"FunctionName": function}
    place = {"FunctionName": match["function"]}
    return place | {"Qualifier": match["qualifier"]} if match["qualifier"] else place
