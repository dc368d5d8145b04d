"""Tags: Key and Value pairs in most APIs, stored by key."""

from collections.abc import Iterable, Mapping
from typing import Any

from serinus.offline.core.service import Call


def from_pairs(pairs: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """Tags by key, from ``[{"Key", "Value"}]``; a pair without a value has an empty one."""
    return {pair["Key"]: str(pair.get("Value", "")) for pair in pairs or ()}


def to_pairs(tags: Mapping[str, Any]) -> list[dict[str, str]]:
    """Tags in the Key/Value form of most APIs."""
    return [{"Key": key, "Value": str(value)} for key, value in tags.items()]


class ResourceTagOperations:
    """TagResource and UntagResource of a service whose `tags_of` finds the tags of a call's resource."""

    def tags_of(self, call: Call) -> dict[str, str]:
        """The live tags of the call's resource; raises `AwsError` if it does not exist."""
        raise NotImplementedError

    async def tag_resource(self, call: Call) -> dict[str, Any]:
        tags = call.params.get("Tags") or call.params.get("tags") or {}
        self.tags_of(call).update(tags if isinstance(tags, dict) else from_pairs(tags))
        return {}

    async def untag_resource(self, call: Call) -> dict[str, Any]:
        tags = self.tags_of(call)
        for key in call.params.get("TagKeys") or call.params.get("tagKeys") or ():
            tags.pop(key, None)
        return {}


class PairedTagOperations(ResourceTagOperations):
    """`ResourceTagOperations`, and ListTagsForResource."""

    async def list_tags_for_resource(self, call: Call) -> dict[str, Any]:
        return {"Tags": to_pairs(self.tags_of(call))}
