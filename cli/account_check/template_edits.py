"""Changes to a synthesized assembly that provoke what a check observes: one each to the product's template."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serinus.cli.account_check.releases import ALIAS_TYPE

Template = dict[str, Any]

#: Logical id of the resource that cannot be made.
BROKEN = "AccountCheckBroken"
DESCRIPTION = "Changed together with the version by an account check."


def edit_assembly(assembly: Path, stack: str, edit: Callable[[Template], None]) -> None:
    """Let ``edit`` change the template of ``stack``; its hash, by which the CDK CLI uploads it, follows."""
    path = assembly / f"{stack}.template.json"
    content = path.read_bytes()
    template = json.loads(content)
    edit(template)
    changed = json.dumps(template, indent=1).encode()
    path.write_bytes(changed)
    assets = assembly / f"{stack}.assets.json"
    before = _hash_of_template(assets, path.name)
    after = hashlib.sha256(changed).hexdigest()
    for naming in (assets, assembly / "manifest.json"):
        naming.write_text(naming.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def _hash_of_template(assets: Path, template: str) -> str:
    files: dict[str, Any] = json.loads(assets.read_text(encoding="utf-8"))["files"]
    return next(key for key, asset in files.items() if asset["source"].get("path") == template)


def free_alias(template: Template) -> None:
    """Leave the order of alias and deployment group to the references in the alias's update policy."""
    for logical_id in _aliases(template):
        template["Resources"][logical_id].pop("DependsOn", None)


def describe_alias(template: Template) -> None:
    """As `free_alias`, and change another property of the alias together with its version."""
    free_alias(template)
    for logical_id in _aliases(template):
        template["Resources"][logical_id]["Properties"]["Description"] = DESCRIPTION


def add_broken_resource(stack: str) -> Callable[[Template], None]:
    """An edit that adds a resource which is made after the alias's update, and cannot be."""

    def add(template: Template) -> None:
        template["Resources"][BROKEN] = {
            "Type": "AWS::Lambda::Permission",
            "DependsOn": _aliases(template),
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": f"{stack}-absent",
                "Principal": "apigateway.amazonaws.com",
            },
        }

    return add


def _aliases(template: Template) -> list[str]:
    return [key for key, resource in template["Resources"].items() if resource["Type"] == ALIAS_TYPE]
