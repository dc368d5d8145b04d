"""The app that a project is left with synthesizes the same stacks, without Serinus."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.infra.eject import write_app
from serinus.infra.synth import synthesize

SETTINGS = (
    '[project]\nname = "shop"\n[endpoint.churn]\n[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
)


@pytest.fixture
def assembly(project: Any, tmp_path: Path) -> Path:
    project.write_settings(SETTINGS)
    project.package("churn", "prod")
    return synthesize(project.folder, "prod", tmp_path / "assembly")


@pytest.fixture
def ejected(assembly: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "ejected"
    folder.mkdir()
    assert write_app(assembly, folder, project="shop", environment="prod") == [
        "shop-prod-churn",
        "shop-prod-shared",
    ]
    return folder


@pytest.fixture
def run_app(ejected: Path, tmp_path: Path) -> Callable[[], Path]:
    """Synthesizes as the CDK CLI does; returns the new assembly's folder."""

    def run() -> Path:
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        variables = {**os.environ, "CDK_OUTDIR": str(out), "PYTHONPATH": ""}
        done = subprocess.run(
            [sys.executable, "app.py"], cwd=ejected, env=variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return out

    return run


def templates(assembly: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_bytes()) for path in assembly.glob("*.template.json")}


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """The places at which two templates differ; the order of what a resource depends on has no meaning."""
    if path.endswith("/DependsOn") and isinstance(before, list) and isinstance(after, list):
        before, after = sorted(before), sorted(after)
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted(before.keys() | after.keys())
        return [line for key in keys for line in differences(before.get(key), after.get(key), f"{path}/{key}")]
    return [] if before == after else [f"{path}: {before!r}, then {after!r}"]


def described(assembly: Path, key: str) -> dict[str, Any]:
    artifacts = json.loads((assembly / "manifest.json").read_bytes())["artifacts"]
    return {
        name: item.get(key, item["properties"].get(key))
        for name, item in artifacts.items()
        if item["type"] == "aws:cloudformation:stack"
    }


@pytest.mark.slow
def test_the_templates_files_and_stacks_are_the_same(assembly: Path, run_app: Callable[[], Path]) -> None:
    out = run_app()
    assert differences(templates(assembly), templates(out)) == []
    for key in ("environment", "tags", "terminationProtection"):
        assert described(out, key) == described(assembly, key)
    for name in ("shop-prod-churn", "shop-prod-shared"):
        before, after = (
            json.loads((folder / f"{name}.assets.json").read_bytes())["files"] for folder in (assembly, out)
        )
        kept = {key for key, asset in before.items() if not asset["source"]["path"].endswith(".template.json")}
        assert kept <= set(after)


@pytest.mark.slow
def test_a_changed_function_gets_a_new_version(assembly: Path, ejected: Path, run_app: Callable[[], Path]) -> None:
    stack = json.loads((ejected / "stacks.json").read_text())["shop-prod-churn"]
    (file,) = [item for item in stack["files"] if item["versions"]]
    handler = next((ejected / file["path"]).rglob("handler.py"))
    handler.write_text(handler.read_text() + "\n# changed\n")
    before, after = (templates(folder)["shop-prod-churn.template.json"] for folder in (assembly, run_app()))
    (version,) = file["versions"]
    assert version not in after["Resources"]
    (new,) = [name for name, item in after["Resources"].items() if item["Type"] == "AWS::Lambda::Version"]
    assert after["Resources"][new] == {
        **before["Resources"][version],
        "Properties": after["Resources"][new]["Properties"],
    }
    alias = next(item for item in after["Resources"].values() if item["Type"] == "AWS::Lambda::Alias")
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [new, "Version"]}


def test_nothing_of_serinus_is_imported_by_the_app(ejected: Path) -> None:
    assert "import serinus" not in (ejected / "app.py").read_text()
    assert "from serinus" not in (ejected / "app.py").read_text()
    assert [line.partition("==")[0] for line in (ejected / "requirements.txt").read_text().splitlines()] == [
        "aws-cdk-lib",
        "constructs",
    ]
