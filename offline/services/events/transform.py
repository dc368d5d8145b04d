"""A target's input: the event, a part of it, a constant, or a template with its values.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from typing import Any

from serinus.offline.core.errors import NotModelled

Document = dict[str, Any]
PATH = re.compile(r"^\$(\.[\w-]+|\[\d+\])*$")
PART = re.compile(r"\.([\w-]+)|\[(\d+)\]")
PLACEHOLDER = re.compile(r'("?)<([A-Za-z0-9_.\-]+)>("?)')


def check_path(path: str) -> None:
    if not PATH.match(path):
        raise NotModelled(f"events: the JSON path {path}", "Use names and indexes such as $.detail.items[0].")


def target_input(target: Document, event: Document, rule_arn: str, rule_name: str) -> str:
    """The JSON (or text, from a text template) that ``target`` receives for ``event``."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath") is not None:
        return json.dumps(value_at(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if transformer is not None:
        return transformed(transformer, event, rule_arn, rule_name)
    return json.dumps(event)


def value_at(event: Any, path: str) -> Any:
    """The value at ``path``; None if there is none."""
    for name, index in PART.findall(path):
        if name:
            event = event.get(name) if isinstance(event, dict) else None
        else:
            event = event[int(index)] if isinstance(event, list) and int(index) < len(event) else None
    return event


def transformed(transformer: Document, event: Document, rule_arn: str, rule_name: str) -> str:
    values = {name: value_at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }

    def filled(match: re.Match[str]) -> str:
        opening, name, closing = match.groups()
        return opening + inserted(values.get(name), quoted=bool(opening and closing), template=template) + closing

    template = transformer["InputTemplate"]
    return PLACEHOLDER.sub(filled, template)


def inserted(value: Any, *, quoted: bool, template: str) -> str:
    """A value in a template: bare inside quotes or text, otherwise as JSON."""
    if value is None:
        return ""
    if not isinstance(value, str):
        text = json.dumps(value)
        return json.dumps(text)[1:-1] if quoted else text
    if quoted:
        return json.dumps(value)[1:-1]
    is_json = template.lstrip().startswith(("{", "["))
    return json.dumps(value) if is_json else value
