"""ECR in CloudFormation: Repository."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import missing_ok, retag, text, to_boolean
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class Repository(ResourceType):
    type = "AWS::ECR::Repository"
    modelled = words(
        "EmptyOnDelete ImageScanningConfiguration ImageTagMutability LifecyclePolicy RepositoryName "
        "RepositoryPolicyText Tags"
    )
    attributes = words("Arn RepositoryUri")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        ecr = request.client("ecr")
        name = request.properties.get("RepositoryName") or request.name(256, lowercase=True)
        repository = ecr.create_repository(repositoryName=name, tags=to_pairs(request.tags))["repository"]
        request.register_id(name)
        self._configure(ecr, name, request)
        return ResourceState(
            name, {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}
        )

    def update(self, request: ResourceRequest) -> ResourceState:
        ecr, arn = request.client("ecr"), request.attributes["Arn"]
        self._configure(ecr, request.identity, request)
        retag(ecr, request, ResourceArn=arn)
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        force = to_boolean(request.properties.get("EmptyOnDelete", "false"))
        with missing_ok("RepositoryNotFoundException"):
            request.client("ecr").delete_repository(repositoryName=request.identity, force=force)

    def _configure(self, ecr: Any, name: str, request: ResourceRequest) -> None:
        properties = request.properties
        if request.changed("ImageTagMutability"):
            mutability = properties.get("ImageTagMutability", "MUTABLE")
            ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability=mutability)
        if request.changed("ImageScanningConfiguration"):
            scan = to_boolean((properties.get("ImageScanningConfiguration") or {}).get("ScanOnPush", "false"))
            ecr.put_image_scanning_configuration(
                repositoryName=name, imageScanningConfiguration={"scanOnPush": scan}
            )
        if request.changed("RepositoryPolicyText"):
            if "RepositoryPolicyText" in properties:
                ecr.set_repository_policy(repositoryName=name, policyText=text(properties["RepositoryPolicyText"]))
            else:
                ecr.delete_repository_policy(repositoryName=name)
        if request.changed("LifecyclePolicy"):
            if "LifecyclePolicy" in properties:
                document = properties["LifecyclePolicy"]["LifecyclePolicyText"]
                ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text(document))
            else:
                ecr.delete_lifecycle_policy(repositoryName=name)
