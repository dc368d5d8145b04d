"""`serinus init` makes a folder a project and never touches what is there."""

import json
import tomllib
from pathlib import Path


def test_an_empty_folder_gets_every_file(project: Path) -> None:
    assert {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()} == {
        "serinus.toml",
        "cdk.json",
        "package.json",
        ".gitignore",
        "README.md",
        "tests/test_endpoint.py",
    }
    assert tomllib.loads((project / "serinus.toml").read_text())["project"]["name"] == "shop"
    cdk = json.loads((project / "cdk.json").read_text())
    assert (cdk["app"], cdk["build"]) == ("serinus synth", "serinus build")


def test_the_pinned_cdk_cli_is_the_toolkits_own(project: Path) -> None:
    own = json.loads((Path(__file__).parents[2] / "package.json").read_text())
    assert json.loads((project / "package.json").read_text())["devDependencies"] == own["devDependencies"]


def test_files_that_exist_are_kept(serinus, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    kept = [tmp_path / "README.md", tmp_path / "tests" / "test_endpoint.py"]
    for file in kept:
        file.write_text("mine")
    done = serinus("init", "--name", "shop")
    assert done.returncode == 0
    assert [file.read_text() for file in kept] == ["mine", "mine"]
    assert "kept    README.md" in done.stderr
    assert "kept    tests/test_endpoint.py" in done.stderr


def test_a_second_init_is_refused_and_changes_nothing(serinus, project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    done = serinus("init", cwd=project)
    assert done.returncode == 1
    assert "this folder is already a project" in done.stderr
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_name_that_aws_would_refuse_is_refused(serinus) -> None:
    done = serinus("init", "--name", "My Shop")
    assert done.returncode == 1
    assert "lower-case letters, digits and hyphens" in done.stderr


def test_a_file_is_no_folder_for_a_project(serinus, tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_text("mine")
    for folder in ("model.joblib", "model.joblib/shop"):
        done = serinus("init", folder)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert f"{folder} cannot be a project's folder" in done.stderr
    assert (tmp_path / "model.joblib").read_text() == "mine"


def test_the_page_on_testing_begins_with_the_written_tests(project: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    shown = page.partition("```python\n")[2].partition("```")[0]
    assert (project / "tests" / "test_endpoint.py").read_text().endswith(f'"""\n\n\n{shown}')


def test_the_settings_that_are_written_fit_a_glance(project: Path) -> None:
    assert len((project / "serinus.toml").read_text().splitlines()) < 15
