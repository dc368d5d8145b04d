"""A changed template is uploaded under its own hash, and differs in nothing else."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from serinus.cli.account_check.template_edits import (
    BROKEN,
    DESCRIPTION,
    add_broken_resource,
    describe_alias,
    edit_assembly,
    free_alias,
)

STACK = "serinus-check-aaaaaa-dev-check"
ALIAS = {
    "Type": "AWS::Lambda::Alias",
    "Properties": {"Name": "live", "FunctionVersion": "1"},
    "DependsOn": ["Group", "Judge"],
    "UpdatePolicy": {"CodeDeployLambdaAliasUpdate": {"DeploymentGroupName": {"Ref": "Group"}}},
}


def template() -> dict[str, Any]:
    other = {"Type": "AWS::Lambda::Function", "Properties": {}, "DependsOn": ["Role"]}
    return {"Resources": {"Alias": json.loads(json.dumps(ALIAS)), "Function": other}}


def asset(path: str, key: str) -> dict[str, Any]:
    return {"source": {"path": path}, "destinations": {"d": {"objectKey": key}}}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    content = json.dumps(template()).encode()
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / f"{STACK}.template.json").write_bytes(content)
    files = {
        digest: {
            "source": {"path": f"{STACK}.template.json"},
            "destinations": {"d": {"objectKey": f"{digest}.json"}},
        },
        "f00": {"source": {"path": "asset.f00"}, "destinations": {"d": {"objectKey": "f00.zip"}}},
    }
    (tmp_path / f"{STACK}.assets.json").write_text(json.dumps({"files": files}))
    (tmp_path / "manifest.json").write_text(json.dumps({"url": f"s3://bucket/{digest}.json"}))
    return tmp_path


def test_the_hash_follows_the_template(assembly: Path) -> None:
    edit_assembly(assembly, STACK, free_alias)
    digest = hashlib.sha256((assembly / f"{STACK}.template.json").read_bytes()).hexdigest()
    files = json.loads((assembly / f"{STACK}.assets.json").read_text())["files"]
    assert set(files) == {digest, "f00"}
    assert files[digest]["destinations"]["d"]["objectKey"] == f"{digest}.json"
    assert json.loads((assembly / "manifest.json").read_text())["url"].endswith(f"/{digest}.json")


def test_the_alias_is_ordered_by_its_update_policy_alone() -> None:
    changed = template()
    free_alias(changed)
    assert changed["Resources"]["Alias"] == {k: v for k, v in ALIAS.items() if k != "DependsOn"}
    assert changed["Resources"]["Function"] == template()["Resources"]["Function"]


def test_another_property_of_the_alias_changes() -> None:
    changed = template()
    describe_alias(changed)
    assert changed["Resources"]["Alias"]["Properties"] == {**ALIAS["Properties"], "Description": DESCRIPTION}


def test_the_broken_resource_comes_after_the_alias() -> None:
    changed = template()
    add_broken_resource(STACK)(changed)
    broken = changed["Resources"].pop(BROKEN)
    assert changed == template()
    assert broken["DependsOn"] == ["Alias"]
    assert broken["Properties"]["FunctionName"] == f"{STACK}-absent"
