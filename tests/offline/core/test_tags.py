"""Tags as pairs and by key, and the operations that change them."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from serinus.offline.core.service import Call
from serinus.offline.core.tags import PairedTagOperations, from_pairs, to_pairs


class Tagged(PairedTagOperations):
    def __init__(self) -> None:
        self.tags = {"team": "fraud", "stage": "dev"}

    def tags_of(self, call: Call) -> dict[str, str]:
        del call
        return self.tags


def call(**params: Any) -> Call:
    return cast(Call, SimpleNamespace(params=params))


def test_pairs_and_tags_by_key_are_the_same() -> None:
    assert from_pairs(to_pairs({"a": "1", "b": ""})) == {"a": "1", "b": ""}
    assert from_pairs([{"Key": "a"}]) == {"a": ""}
    assert from_pairs(None) == {}


@pytest.mark.parametrize("tags", [[{"Key": "stage", "Value": "prod"}], {"stage": "prod"}])
def test_tags_are_added_over_those_there(tags: Any) -> None:
    service = Tagged()
    asyncio.run(service.tag_resource(call(Tags=tags)))
    assert service.tags == {"team": "fraud", "stage": "prod"}


@pytest.mark.parametrize("member", ["TagKeys", "tagKeys"])
def test_tags_are_removed_by_key_whether_there_or_not(member: str) -> None:
    service = Tagged()
    asyncio.run(service.untag_resource(call(**{member: ["stage", "owner"]})))
    listed = asyncio.run(service.list_tags_for_resource(call()))
    assert listed == {"Tags": [{"Key": "team", "Value": "fraud"}]}
