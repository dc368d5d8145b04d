"""KMS in CloudFormation: Key, Alias."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import lost, missing_ok, text, truth
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words


class Key(ResourceType):
    type = "AWS::KMS::Key"
    modelled = words("Description EnableKeyRotation Enabled KeyPolicy KeySpec KeyUsage PendingWindowInDays Tags")
    attributes = words("Arn KeyId")
    taggable = True

    def create(self, request: Request) -> Made:
        kms, wanted = request.client("kms"), request.properties
        extra: dict[str, Any] = {
            key: wanted[key] for key in ("Description", "KeySpec", "KeyUsage") if key in wanted
        }
        if "KeyPolicy" in wanted:
            extra["Policy"] = text(wanted["KeyPolicy"])
        metadata = kms.create_key(Tags=_tags(request.tags), **extra)["KeyMetadata"]
        request.claim(metadata["KeyId"])
        self._switch(kms, metadata["KeyId"], request)
        return Made(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})

    def update(self, request: Request) -> Made:
        kms, key, wanted = request.client("kms"), request.identity, request.properties
        if request.changed("KeyPolicy") and "KeyPolicy" in wanted:
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text(wanted["KeyPolicy"]))
        if request.changed("Description"):
            kms.update_key_description(KeyId=key, Description=wanted.get("Description", ""))
        self._switch(kms, key, request)
        gone = lost(request.previous_tags, request.tags)
        if gone:
            kms.untag_resource(KeyId=key, TagKeys=gone)
        if request.tags:
            kms.tag_resource(KeyId=key, Tags=_tags(request.tags))
        return Made(key, request.attributes)

    def delete(self, request: Request) -> None:
        days = int(request.properties.get("PendingWindowInDays", 30))
        with missing_ok("NotFoundException", "KMSInvalidStateException"):
            request.client("kms").schedule_key_deletion(KeyId=request.identity, PendingWindowInDays=days)

    def _switch(self, kms: Any, key: str, request: Request) -> None:
        if request.changed("EnableKeyRotation"):
            rotate = truth(request.properties.get("EnableKeyRotation", "false"))
            (kms.enable_key_rotation if rotate else kms.disable_key_rotation)(KeyId=key)
        if request.changed("Enabled"):
            enabled = truth(request.properties.get("Enabled", "true"))
            (kms.enable_key if enabled else kms.disable_key)(KeyId=key)


class Alias(ResourceType):
    type = "AWS::KMS::Alias"
    modelled = words("AliasName TargetKeyId")

    def create(self, request: Request) -> Made:
        wanted = request.properties
        request.client("kms").create_alias(AliasName=wanted["AliasName"], TargetKeyId=wanted["TargetKeyId"])
        return Made(wanted["AliasName"])

    def update(self, request: Request) -> Made:
        target = request.properties["TargetKeyId"]
        request.client("kms").update_alias(AliasName=request.identity, TargetKeyId=target)
        return Made(request.identity)

    def delete(self, request: Request) -> None:
        with missing_ok("NotFoundException"):
            request.client("kms").delete_alias(AliasName=request.identity)


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
