"""The file of a key that was not told where: removed with its cloud, or by the next one if that was killed."""

import fcntl
import os
import socket
import sys
from pathlib import Path

import pytest

from serinus.offline.__main__ import main
from serinus.offline.cloud.key_file import default_path, published
from serinus.offline.core.root_key import RootKey

KEY = RootKey.new()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("", 0))
        port: int = taken.getsockname()[1]
        return port


def test_the_file_is_there_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "4577.credentials"
    with published(KEY, path):
        assert RootKey.read(path) == KEY
    assert list(path.parent.iterdir()) == []


def test_the_file_of_a_cloud_that_took_the_port_next_is_left(tmp_path: Path) -> None:
    path, next_key = tmp_path / "4577.credentials", RootKey.new()
    with published(KEY, path):
        next_key.write(path)
    assert RootKey.read(path) == next_key


def test_a_file_that_is_gone_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "4577.credentials"
    with published(KEY, path):
        path.unlink()


def test_the_file_of_a_killed_cloud_is_removed(tmp_path: Path) -> None:
    stale = tmp_path / f"{free_port()}.credentials"
    KEY.write(stale)
    with published(KEY, tmp_path / "4577.credentials"):
        assert not stale.exists()


def test_the_file_of_a_cloud_that_runs_is_left(tmp_path: Path) -> None:
    running = tmp_path / f"{free_port()}.credentials"
    KEY.write(running)
    with running.open() as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        with published(KEY, tmp_path / "4577.credentials"):
            assert running.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0"])
def test_the_file_of_a_cloud_of_an_earlier_version_is_left(tmp_path: Path, host: str) -> None:
    """It holds no lock, but listens at its port."""
    if host == "127.0.0.2" and sys.platform != "linux":
        pytest.skip("one address of loopback")
    with socket.socket() as listener:
        listener.bind((host, 0))
        listener.listen()
        running = tmp_path / f"{listener.getsockname()[1]}.credentials"
        KEY.write(running)
        with published(KEY, tmp_path / "4577.credentials"):
            assert running.exists()


@pytest.mark.parametrize(
    "name", ["work.credentials", "99999.credentials", "4578", "4578.txt", "\u0664.credentials"]
)
def test_other_files_are_left(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with published(KEY, tmp_path / "4577.credentials"):
        assert (tmp_path / name).exists()


def test_a_link_is_left(tmp_path: Path) -> None:
    link = tmp_path / f"{free_port()}.credentials"
    (tmp_path / "elsewhere").touch()
    link.symlink_to(tmp_path / "elsewhere")
    with published(KEY, tmp_path / "4577.credentials"):
        assert link.is_symlink()
        assert (tmp_path / "elsewhere").exists()


def test_a_cloud_that_is_refused_writes_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment, mask = dict(os.environ), os.umask(0o077)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "argv", ["offline", "--port", "0", "--state", "/dev/null"])
    try:
        assert default_path(4577).parent == tmp_path / "cache" / "offline-cloud"
        assert main() == 1
    finally:
        os.umask(mask)
        os.environ.clear()
        os.environ.update(environment)
    assert "cannot be a state folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
