"""AWS::Lambda::Version."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import missing_ok
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words
from serinus.offline.services.cloudformation.resources.lambda_ import provisioned


class Version(ResourceType):
    type = "AWS::Lambda::Version"
    modelled = words("CodeSha256 Description FunctionName ProvisionedConcurrencyConfig")
    attributes = words("FunctionArn Version")

    def create(self, request: Request) -> Made:
        client, wanted = request.client("lambda"), request.properties
        function = wanted["FunctionName"]
        before = _published(client, function)
        extra = {key: wanted[key] for key in ("CodeSha256", "Description") if key in wanted}
        found = client.publish_version(FunctionName=function, **extra)
        if found["Version"] in before:
            raise ResourceFailed(
                f"A version for this Lambda function exists ( {found['Version']} ). Modify the function to create "
                "a new version. (HandlerErrorCode: AlreadyExists)"
            )
        arn = _with_version(found["FunctionArn"], found["Version"])
        request.claim(arn)
        provisioned.settle(request, function, found["Version"])
        return Made(arn, {"FunctionArn": arn, "Version": found["Version"]})

    def update(self, request: Request) -> Made:
        return Made(request.identity, request.attributes)

    def delete(self, request: Request) -> None:
        function, version = request.identity.rsplit(":", 1)
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_function(FunctionName=function, Qualifier=version)


def _published(client: Any, function: str) -> set[str]:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    return {version["Version"] for page in pages for version in page["Versions"]} - {"$LATEST"}


def _with_version(arn: str, version: str) -> str:
    return arn if arn.endswith(f":{version}") and arn.count(":") == 7 else f"{arn}:{version}"
