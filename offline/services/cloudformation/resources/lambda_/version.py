"""AWS::Lambda::Version."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import missing_ok
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words
from serinus.offline.services.cloudformation.resources.lambda_ import provisioned


class Version(ResourceType):
    type = "AWS::Lambda::Version"
    modelled = words("CodeSha256 Description FunctionName ProvisionedConcurrencyConfig")
    attributes = words("FunctionArn Version")

    def create(self, request: ResourceRequest) -> ResourceState:
        client, properties = request.client("lambda"), request.properties
        function = properties["FunctionName"]
        before = _published(client, function)
        extra = {key: properties[key] for key in ("CodeSha256", "Description") if key in properties}
        published = client.publish_version(FunctionName=function, **extra)
        if published["Version"] in before:
            raise ResourceFailed(
                f"A version for this Lambda function exists ( {published['Version']} ). Modify the function to "
                "create a new version. (HandlerErrorCode: AlreadyExists)"
            )
        arn = _with_version(published["FunctionArn"], published["Version"])
        request.register_id(arn)
        provisioned.settle(request, function, published["Version"])
        return ResourceState(arn, {"FunctionArn": arn, "Version": published["Version"]})

    def update(self, request: ResourceRequest) -> ResourceState:
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        function, version = request.identity.rsplit(":", 1)
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_function(FunctionName=function, Qualifier=version)


def _published(client: Any, function: str) -> set[str]:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    return {version["Version"] for page in pages for version in page["Versions"]} - {"$LATEST"}


def _with_version(arn: str, version: str) -> str:
    return arn if arn.endswith(f":{version}") and arn.count(":") == 7 else f"{arn}:{version}"
