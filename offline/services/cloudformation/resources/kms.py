"""KMS in CloudFormation: Key, Alias."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import missing_ok, removed_keys, text, to_boolean
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class Key(ResourceType):
    type = "AWS::KMS::Key"
    modelled = words("Description EnableKeyRotation Enabled KeyPolicy KeySpec KeyUsage PendingWindowInDays Tags")
    attributes = words("Arn KeyId")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        kms, properties = request.client("kms"), request.properties
        extra: dict[str, Any] = {
            key: properties[key] for key in ("Description", "KeySpec", "KeyUsage") if key in properties
        }
        if "KeyPolicy" in properties:
            extra["Policy"] = text(properties["KeyPolicy"])
        metadata = kms.create_key(Tags=_tags(request.tags), **extra)["KeyMetadata"]
        request.register_id(metadata["KeyId"])
        self._switch(kms, metadata["KeyId"], request)
        return ResourceState(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})

    def update(self, request: ResourceRequest) -> ResourceState:
        kms, key, properties = request.client("kms"), request.identity, request.properties
        if request.changed("KeyPolicy") and "KeyPolicy" in properties:
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text(properties["KeyPolicy"]))
        if request.changed("Description"):
            kms.update_key_description(KeyId=key, Description=properties.get("Description", ""))
        self._switch(kms, key, request)
        gone = removed_keys(request.previous_tags, request.tags)
        if gone:
            kms.untag_resource(KeyId=key, TagKeys=gone)
        if request.tags:
            kms.tag_resource(KeyId=key, Tags=_tags(request.tags))
        return ResourceState(key, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        days = int(request.properties.get("PendingWindowInDays", 30))
        with missing_ok("NotFoundException", "KMSInvalidStateException"):
            request.client("kms").schedule_key_deletion(KeyId=request.identity, PendingWindowInDays=days)

    def _switch(self, kms: Any, key: str, request: ResourceRequest) -> None:
        if request.changed("EnableKeyRotation"):
            rotate = to_boolean(request.properties.get("EnableKeyRotation", "false"))
            (kms.enable_key_rotation if rotate else kms.disable_key_rotation)(KeyId=key)
        if request.changed("Enabled"):
            enabled = to_boolean(request.properties.get("Enabled", "true"))
            (kms.enable_key if enabled else kms.disable_key)(KeyId=key)


class KmsAlias(ResourceType):
    type = "AWS::KMS::Alias"
    modelled = words("AliasName TargetKeyId")

    def create(self, request: ResourceRequest) -> ResourceState:
        properties = request.properties
        request.client("kms").create_alias(
            AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"]
        )
        return ResourceState(properties["AliasName"])

    def update(self, request: ResourceRequest) -> ResourceState:
        target = request.properties["TargetKeyId"]
        request.client("kms").update_alias(AliasName=request.identity, TargetKeyId=target)
        return ResourceState(request.identity)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("NotFoundException"):
            request.client("kms").delete_alias(AliasName=request.identity)


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
