"""Looks up resources and references in a template."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]


def of_type(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical id and properties of every resource of a type."""
    for name, resource in template.get("Resources", {}).items():
        if resource["Type"] == kind:
            yield name, resource.get("Properties", {})


def named(value: Any, logical_id: str) -> bool:
    """Whether a property refers to the resource ``logical_id``."""
    return f'"{logical_id}"' in json.dumps(value)
