"""The CDK CLI of trials: the checkout's, or one that is installed once into the user's cache."""

import json
from pathlib import Path

import pytest

from serinus.cli import cdk
from serinus.cli.errors import CliError
from serinus.cli.trial import project as trial_project

NPM = """#!/bin/sh
echo "$@" >> "$NPM_CALLS"
[ "$NPM_FAILS" ] && { echo "no network" >&2; mkdir node_modules; exit 1; }
mkdir -p node_modules/aws-cdk
echo '{"version": "'"$NPM_VERSION"'"}' > node_modules/aws-cdk/package.json
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trial's project on a machine without the checkout's CLI, with an npm of its own."""
    (folder := tmp_path / "project").mkdir()
    trial_project.write_project(folder, "churn")
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM)
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    monkeypatch.setenv("NPM_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("NPM_VERSION", cdk.pinned_version(folder))
    monkeypatch.setenv("SERINUS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(trial_project, "_CHECKOUT", tmp_path / "nowhere")
    return folder


def test_the_cli_is_installed_once_for_all_projects(project: Path, tmp_path: Path) -> None:
    assert trial_project.installed_cli(project) is None
    installed = trial_project.install_cli(project)
    assert trial_project.installed_cli(project) == installed
    trial_project.link_cli(project, installed)
    assert cdk.installed_version(project) == cdk.pinned_version(project)
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_a_failed_install_leaves_nothing_in_the_cache(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_FAILS", "1")
    with pytest.raises(CliError, match=r"could not install aws-cdk .*: no network"):
        trial_project.install_cli(project)
    assert list((tmp_path / "cache" / "cdk").iterdir()) == []
    assert trial_project.installed_cli(project) is None


def test_the_project_deploys_one_endpoint_with_every_default(project: Path) -> None:
    from serinus.infra.settings import load_settings

    (endpoint,) = load_settings(project / "serinus.toml", "local").endpoints
    assert (endpoint.name, endpoint.model, endpoint.settings.auth) == ("churn", "churn", "api_key")
    assert json.loads((project / "cdk.json").read_text())["app"] == "serinus synth"
