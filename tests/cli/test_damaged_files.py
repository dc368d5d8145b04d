"""A damaged file of a project ends each command that reads it in a sentence, never in a traceback."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from typer.testing import CliRunner

from serinus.cli import main as entry
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest
from serinus.offline.core.root_key import RootKey

Damage = Callable[[bytes], bytes]

#: What happens to files: editors, merges, full disks, other programs.
DAMAGES: dict[str, Damage] = {
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "not text": lambda content: b"\xff\xfe\x00" + content[:20],
    "empty": lambda _: b"",
    "cut": lambda content: content[: len(content) // 2],
    "a list": lambda _: b"[]",
    "null": lambda _: b"null",
    "a number": lambda _: b"7",
    "nested deeply": lambda _: b"[" * 100_000,
    "other keys": lambda _: b'{"a": 1}',
}
#: Valid TOML of other types than are read.
WRONG_TYPES = {
    "serinus.lock": [
        "dev = 1",
        "dev = [1]",
        "[dev]\nchurn = 2",
        "[dev.churn]\nversion = 3\nbundle = 4",
        "[[dev]]\nx = 1",
    ],
    "serinus.toml": [
        "project = 1",
        "[project]\nname = 3",
        '[project]\nname = "s"\n[endpoint]\nchurn = 1',
        '[project]\nname = "s"\n[[endpoint.churn]]\nx = 1',
        '[project]\nname = "s"\n[env]\nprod = 1',
    ],
}
OTHERS = (
    "serinus.toml",
    "bundle/baseline.json",
    "bundle/golden.json",
    ".serinus/build/manifest.json",
    ".serinus/local/cloud-4566.json",
)
READING = (
    ["lint"],
    ["inspect", "churn"],
    ["build"],
    ["check", "sample.csv", "--name", "churn"],
    ["bundles", "fetch"],
    ["local", "status"],
    ["simulate", "churn", "--drift", "age:+9sd@day99"],
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("damaged") / "shop"
    project.mkdir()
    (project / "serinus.toml").write_text('[project]\nname = "shop"\n\n[endpoint.churn]\n')
    rows = pd.DataFrame({"age": np.arange(50.0)})
    joblib.dump(LinearRegression().fit(rows, rows["age"] * 2), project / "model.joblib")
    rows.to_csv(project / "sample.csv", index=False)
    bundle = package(PackageRequest(project / "model.joblib", "churn", project / "sample.csv", project)).bundle
    (project / "bundle").symlink_to(bundle.relative_to(project))
    (project / ".serinus/build").mkdir()
    (project / ".serinus/build/manifest.json").write_text('{"runtime": {}, "models": {}}')
    (project / ".serinus/local").mkdir()
    RootKey.new().write(project / ".serinus/local/cloud-4566.credentials")
    (project / ".serinus/local/cloud-4566.json").write_text("{}")
    return project


@pytest.fixture
def shop(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = Path(shutil.copytree(original, tmp_path / "shop", symlinks=True))
    monkeypatch.chdir(project)
    return project


def run_all(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What commands that were refused printed, as `main` ends them."""
    errors = []
    for command in READING:
        done = CliRunner().invoke(entry.app, command)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            assert isinstance(done.exception, Exception)
            entry._report(done.exception)
            errors.append(" ".join(capsys.readouterr().err.split()))
    return errors


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in ("serinus.lock", "bundle/model.json") for damage in DAMAGES),
        *((name, damage) for name in OTHERS for damage in ("not text", "cut", "a list", "nested deeply")),
    ],
)
def test_a_damaged_file_is_named(shop: Path, name: str, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop / name
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    for error in run_all(capsys):
        assert "unexpected" not in error


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG_TYPES.items() for text in texts])
def test_values_of_other_types_are_named(
    shop: Path, name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / name).write_text(text)
    errors = run_all(capsys)
    assert errors
    assert not [error for error in errors if name not in error or "unexpected" in error]


@pytest.mark.parametrize("name", ["serinus.lock", "bundle/model.json", ".serinus/build/manifest.json"])
def test_a_folder_in_place_of_a_file_is_named(shop: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / name).unlink()
    (shop / name).mkdir()
    errors = run_all(capsys)
    assert errors
    assert not [error for error in errors if "unexpected" in error]
    assert any("Is a directory" in error for error in errors)


def test_a_file_in_place_of_a_folder_is_named(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(shop / ".serinus")
    (shop / ".serinus").write_text("x")
    errors = run_all(capsys)
    assert any("Not a directory. A file is where a folder must be. Move it away." in error for error in errors)
    assert not [error for error in errors if "unexpected" in error]


@pytest.mark.parametrize(
    "command",
    [
        ["inspect", "churn", "--html", "card.html"],
        ["package", "model.joblib", "--name", "other", "--sample", "sample.csv"],
    ],
)
def test_a_full_disk_is_one_sentence(shop: Path, command: list[str]) -> None:
    """A limit on the size of files stands for the full disk."""
    before = {path: path.read_bytes() for path in (shop / "bundles").rglob("*") if path.is_file()}
    command = [sys.executable, "-m", "serinus", *command]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 2; exec "$@"', "bash", *command], cwd=shop, capture_output=True, text=True
    )
    assert done.returncode == 1
    shown = " ".join(done.stderr.split())
    assert "File too large" in shown
    assert "Free some space" in shown
    assert "Traceback" not in shown
    assert not (shop / "card.html").exists()
    assert {path: path.read_bytes() for path in before} == before


def test_a_mistake_of_ours_is_one_sentence_too(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("age")

    monkeypatch.setattr(entry, "app", fail)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 1
    shown = " ".join(capsys.readouterr().err.split())
    assert shown.startswith("error: unexpected KeyError: 'age'. This is a mistake in Serinus")
