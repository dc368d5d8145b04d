"""Patch operations change documents as their shapes say."""

from typing import Any

import botocore.session
import pytest

from serinus.offline.core.errors import AwsError
from serinus.offline.services.apigateway.patching import apply_patch, segments

MODEL = botocore.session.get_session().get_service_model("apigateway")
MUTABLE = frozenset({"name", "binaryMediaTypes", "minimumCompressionSize", "endpointConfiguration"})


def patched(document: dict[str, Any], **operation: str) -> dict[str, Any]:
    apply_patch(document, [operation], MODEL.shape_for("RestApi"), MUTABLE)
    return document


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "replace", "path": "/name", "value": "new"}, {"name": "new"}),
        ({"op": "remove", "path": "/name"}, {}),
        ({"op": "replace", "path": "/minimumCompressionSize", "value": "7"}, {"minimumCompressionSize": 7}),
        ({"op": "add", "path": "/binaryMediaTypes/a~1c"}, {"binaryMediaTypes": ["a/b", "a/c"]}),
        ({"op": "remove", "path": "/binaryMediaTypes/a~1b"}, {"binaryMediaTypes": []}),
        ({"op": "replace", "path": "/binaryMediaTypes/a~1b", "value": "x"}, {"binaryMediaTypes": ["x"]}),
        (
            {"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"},
            {"endpointConfiguration": {"types": ["REGIONAL"]}},
        ),
    ],
)
def test_an_operation_changes_what_it_names(operation: dict[str, str], expected: dict[str, Any]) -> None:
    before = {"name": "old", "binaryMediaTypes": ["a/b"], "endpointConfiguration": {"types": ["EDGE"]}}
    after = patched(dict(before), **operation)
    named = segments(operation["path"])[0]
    assert after.get(named) == expected.get(named)
    assert {key: value for key, value in after.items() if key != named} == {
        key: value for key, value in before.items() if key != named
    }


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/id", "value": "x"},
        {"op": "replace", "path": "/minimumCompressionSize", "value": "many"},
        {"op": "copy", "path": "/name", "value": "x"},
        {"op": "replace", "path": "/endpointConfiguration", "value": "x"},
        {"op": "replace", "path": "/name/first", "value": "x"},
    ],
)
def test_other_operations_are_refused(operation: dict[str, str]) -> None:
    with pytest.raises(AwsError, match="Invalid patch"):
        patched({"name": "old"}, **operation)
