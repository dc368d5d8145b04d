"""The inference function's asset, made by the CDK library from a copy of the package."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

import serinus
from serinus.infra.constructs.handler_code import HandlerCode
from serinus.infra.constructs.inference_function import ENTRY_MODULE
from serinus.lambda_handlers.contract.build import function_sources


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder like site-packages: our package, byte code, and others beside it."""
    root = tmp_path / "site-packages"
    sources, files = function_sources()
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sources / file, root / file)
    (root / "serinus" / "lambda_handlers" / "inference" / "__pycache__").mkdir(exist_ok=True)
    (root / "serinus" / "lambda_handlers" / "inference" / "__pycache__" / "handler.cpython-313.pyc").write_bytes(
        b"stale"
    )
    (root / "another" / "inference").mkdir(parents=True)
    (root / "another" / "inference" / "handler.py").write_text("", encoding="utf-8")
    return root


def asset_folder(root: Path, outdir: Path) -> Path:
    """The folder that CDK stages for the code in ``root``; its name carries the asset's hash."""
    app = cdk.App(outdir=str(outdir), analytics_reporting=False)
    stack = cdk.Stack(app, "Test")
    lambda_.Function(
        stack,
        "Function",
        code=HandlerCode.of(ENTRY_MODULE, root).as_asset(),
        handler="handler.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    app.synth()
    assets = json.loads((outdir / "Test.assets.json").read_text(encoding="utf-8"))["files"].values()
    (folder,) = (item["source"]["path"] for item in assets if item["source"]["packaging"] == "zip")
    return outdir / folder


def test_the_asset_holds_exactly_the_files_that_the_handler_needs(installed: Path, tmp_path: Path) -> None:
    folder = asset_folder(installed, tmp_path / "out")

    staged = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert staged == set(HandlerCode.of(ENTRY_MODULE, installed).files)


def test_the_asset_is_the_same_from_a_checkout_and_from_an_installed_package(
    installed: Path, tmp_path: Path
) -> None:
    checkout = Path(serinus.__file__).parents[1]

    assert asset_folder(installed, tmp_path / "a").name == asset_folder(checkout, tmp_path / "b").name


def test_a_change_to_a_hook_leaves_the_inference_asset_as_it_was(installed: Path, tmp_path: Path) -> None:
    before, code = (
        asset_folder(installed, tmp_path / "before").name,
        HandlerCode.of(ENTRY_MODULE, installed).sha256,
    )
    (installed / "serinus" / "lambda_handlers" / "hooks" / "__init__.py").write_text(
        "CHANGED = True\n", encoding="utf-8"
    )
    (installed / "serinus" / "lambda_handlers" / "hooks" / "another.py").write_text(
        "ADDED = True\n", encoding="utf-8"
    )
    (installed / "serinus" / "lambda_handlers" / "contract" / "unused.py").write_text(
        "ADDED = True\n", encoding="utf-8"
    )

    assert asset_folder(installed, tmp_path / "after").name == before
    assert HandlerCode.of(ENTRY_MODULE, installed).sha256 == code


def test_a_change_to_the_handler_changes_the_inference_asset(installed: Path, tmp_path: Path) -> None:
    before, code = (
        asset_folder(installed, tmp_path / "before").name,
        HandlerCode.of(ENTRY_MODULE, installed).sha256,
    )
    handler = installed / "serinus" / "lambda_handlers" / "inference" / "handler.py"
    handler.write_text(handler.read_text(encoding="utf-8") + "\nCHANGED = True\n", encoding="utf-8")

    assert asset_folder(installed, tmp_path / "after").name != before
    assert HandlerCode.of(ENTRY_MODULE, installed).sha256 != code


def test_every_module_of_the_asset_finds_what_it_imports_within_it(installed: Path, tmp_path: Path) -> None:
    folder = asset_folder(installed, tmp_path / "out")
    modules = [
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if path.stem not in ("__init__", "handler")  # importing the handler opens its model
    ]
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)\n"
    code += "import serinus; print(serinus.__file__)"

    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).is_relative_to(folder)


def test_bytecode_of_the_runtime_comes_along_where_it_was_compiled(installed: Path) -> None:
    code = HandlerCode.of(ENTRY_MODULE, installed, "python3.13")
    compiled = [file.as_posix() for file in code.files if file.suffix == ".pyc"]
    assert "serinus/lambda_handlers/inference/__pycache__/handler.cpython-313.pyc" in compiled
    assert code.sha256 != HandlerCode.of(ENTRY_MODULE, installed).sha256
    assert not any(file.suffix == ".pyc" for file in HandlerCode.of(ENTRY_MODULE, installed, "python3.99").files)
