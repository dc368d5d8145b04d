"""Writes an environment's stacks as a plain CDK app, for people who go on without Serinus."""

import json
import re
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from serinus.infra.ejected.content_hash import content_hash

_TEMPLATES = files("serinus.infra") / "ejected"
#: What a CDK stack adds to its template by itself.
_ADDED = {"Parameters": "BootstrapVersion", "Rules": "CheckBootstrapVersion"}
_STACK = "aws:cloudformation:stack"
_VERSION = "AWS::Lambda::Version"
_UNKNOWN = re.compile(r"unknown-(account|region)")


def write_app(assembly: Path, folder: Path, *, project: str, environment: str) -> list[str]:
    """Write the app of the cloud assembly in ``assembly`` into ``folder``, which is empty; returns the names of
    its stacks. The app synthesizes the same templates."""
    artifacts = json.loads((assembly / "manifest.json").read_bytes())["artifacts"]
    stacks = {name: item for name, item in artifacts.items() if item["type"] == _STACK}
    (folder / "stacks").mkdir()
    (folder / "files").mkdir()
    written: dict[str, str] = {}
    described = {
        name: _write_stack(assembly, folder, name, item, list(stacks), written)
        for name, item in sorted(stacks.items())
    }
    _write(folder / "stacks.json", json.dumps(described, indent=2) + "\n")
    _write(folder / "app.py", _read("app.py.txt"))
    _write(folder / "content_hash.py", _read("content_hash.py"))
    readme = _read("README.md.txt").replace("{{project}}", project).replace("{{environment}}", environment)
    _write(folder / "README.md", readme)
    _write(folder / "cdk.json", json.dumps({"app": "python app.py"}, indent=2) + "\n")
    pinned = "".join(f"{name}=={version(name)}\n" for name in ("aws-cdk-lib", "constructs"))
    _write(folder / "requirements.txt", pinned)
    return sorted(stacks)


def _write_stack(
    assembly: Path,
    folder: Path,
    name: str,
    artifact: Mapping[str, Any],
    stacks: list[str],
    written: dict[str, str],
) -> dict[str, Any]:
    template = json.loads((assembly / artifact["properties"]["templateFile"]).read_bytes())
    assets = json.loads((assembly / f"{name}.assets.json").read_bytes())["files"]
    listed = [
        _write_file(assembly, folder, key, asset, template, written)
        for key, asset in sorted(assets.items())
        if not asset["source"]["path"].endswith(".template.json")
    ]
    for section, added in _ADDED.items():
        if added in template.get(section, {}):
            del template[section][added]
        if not template.get(section, True):
            del template[section]
    _write(folder / "stacks" / f"{name}.json", json.dumps(template, indent=1) + "\n")
    account, region = artifact["environment"].removeprefix("aws://").split("/")
    bound = {"account": account, "region": region}
    return {
        "environment": {} if _UNKNOWN.fullmatch(account) else bound,
        "tags": artifact["properties"].get("tags", {}),
        "termination_protection": artifact["properties"].get("terminationProtection", False),
        "depends_on": [other for other in artifact.get("dependencies", ()) if other in stacks],
        "files": listed,
    }


def _write_file(
    assembly: Path,
    folder: Path,
    key: str,
    asset: Mapping[str, Any],
    template: Mapping[str, Any],
    written: dict[str, str],
) -> dict[str, Any]:
    """Copy an asset under a name that says what it is, once however many stacks use it."""
    source = assembly / asset["source"]["path"]
    if key not in written:
        slug = re.sub(r"[^a-z0-9]+", "-", asset.get("displayName", key[:12]).lower()).strip("-")
        name = slug if source.is_dir() else f"{slug}{source.suffix}"
        while name in written.values():
            name = f"{key[:8]}-{name}"
        written[key] = name
        target = folder / "files" / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    path = folder / "files" / written[key]
    return {
        "path": f"files/{written[key]}",
        "key": key,
        "content": content_hash(path),
        "versions": _versions_of(key, template),
    }


def _versions_of(key: str, template: Mapping[str, Any]) -> list[str]:
    """Logical ids of the published versions of functions whose code is the asset ``key``."""
    resources = template["Resources"]
    functions = {
        name for name, item in resources.items() if key in json.dumps(item.get("Properties", {}).get("Code", {}))
    }
    return [
        name
        for name, item in resources.items()
        if item["Type"] == _VERSION and item["Properties"]["FunctionName"].get("Ref") in functions
    ]


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
