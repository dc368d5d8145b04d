"""Input transformers fill templates of JSON and of text."""

from typing import Any

import pytest

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.events.transform import check_path, target_input, value_at

EVENT = {
    "time": "2026-11-21T00:00:00Z",
    "source": "shop",
    "detail": {"who": 'the "boss"', "count": 3, "tags": ["a", "b"], "nothing": None},
}


def filled(template: str, **paths: str) -> str:
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    return target_input(target, EVENT, "arn:rule", "rule")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"n": <n>}', '{"n": 3}'),
        ('{"who": "<w>"}', '{"who": "the \\"boss\\""}'),
        ('{"who": <w>}', '{"who": "the \\"boss\\""}'),
        ('{"tags": <t>}', '{"tags": ["a", "b"]}'),
        ('"<n> orders"', '"3 orders"'),
        ('{"missing": "<m>"}', '{"missing": ""}'),
        ('{"by": "<aws.events.rule-name>"}', '{"by": "rule"}'),
        ('{"at": "<aws.events.event.ingestion-time>"}', '{"at": "2026-11-21T00:00:00Z"}'),
    ],
)
def test_templates_are_filled(template: str, expected: str) -> None:
    assert filled(template, n="$.detail.count", w="$.detail.who", t="$.detail.tags", m="$.nowhere") == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [("$", EVENT), ("$.detail.tags[1]", "b"), ("$.detail.tags[7]", None), ("$.source.x", None)],
)
def test_paths_lead_to_values_or_nothing(path: str, value: Any) -> None:
    assert value_at(EVENT, path) == value


def test_paths_beyond_names_and_indexes_are_refused() -> None:
    with pytest.raises(NotModelled, match=r"the JSON path \$\.detail\[\*\]"):
        check_path("$.detail[*]")
