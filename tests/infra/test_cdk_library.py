"""The CDK library is loaded where its cache cannot be used."""

import os
from pathlib import Path

import pytest

from serinus.infra.cdk_library import is_private, prepare_cdk_library

SWITCH, ROOT = "JSII_RUNTIME_PACKAGE_CACHE", "JSII_RUNTIME_PACKAGE_CACHE_ROOT"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the user, without any of the variables."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (SWITCH, ROOT):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def test_a_private_home_has_the_cache(home: Path) -> None:
    prepare_cdk_library()
    assert SWITCH not in os.environ


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_home_that_others_may_write_to_has_none(home: Path, mode: int) -> None:
    home.chmod(mode)
    prepare_cdk_library()
    assert os.environ[SWITCH] == "disabled"


@pytest.mark.parametrize("path", ["/proc/none", "/dev/null/none", "file/none"])
def test_a_home_that_cannot_be_made_has_none(home: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("HOME", str(home / path))
    prepare_cdk_library()
    assert os.environ[SWITCH] == "disabled"


@pytest.mark.parametrize(("name", "value"), [(SWITCH, "enabled"), (ROOT, "/proc/none")])
def test_the_users_own_variables_stay(home: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home.chmod(0o777)
    monkeypatch.setenv(name, value)
    prepare_cdk_library()
    assert {key: os.environ.get(key) for key in (SWITCH, ROOT)} == {SWITCH: None, ROOT: None} | {name: value}


def test_a_linked_home_is_private_and_a_linked_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "text").write_text("")
    assert is_private(tmp_path / "link" / "cache")
    assert not is_private(tmp_path / "text")
