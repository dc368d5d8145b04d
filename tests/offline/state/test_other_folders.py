"""A folder that is not a cloud's is not taken for its state: nothing in it is removed or changed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from serinus.offline.cloud.state import StateFolder
from serinus.offline.cloud.state_manifest import SavedClock

ACCOUNT = "123456789012"
CLOCK = SavedClock(cloud=2_000_000_000.0, real=1_900_000_000.0, factor=60.0)
SHA256 = "ab" * 32
PART = f"one-{'ab' * 16}"

Refused = Callable[[Path], str]


def fill(root: Path, files: dict[str, str]) -> Path:
    """Files by path; a path that ends in a slash is an empty folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(content)
    return root


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"notes.txt": "mine"}, "notes.txt"),
        (
            {"serinus.toml": "", "src/app.py": "", "parts/wheel.step": "mine"},
            "serinus.toml, src, parts/wheel.step",
        ),
        ({"a": "", "b": "", "c": "", "d": ""}, "a, b, c, ..."),
        ({".hidden": ""}, ".hidden"),
        ({"parts/wheel.step": "mine"}, "parts/wheel.step"),
        ({"lock": "", "parts/wheel.step": "mine"}, "parts/wheel.step"),
        ({"lock": "", "parts/wheels/": ""}, "parts/wheels"),
        ({"blobs/sha256/": ""}, "blobs/sha256"),
        ({f"blobs/{SHA256}": "mine"}, f"blobs/{SHA256}"),
        ({f"archives/{SHA256}.zip": "mine"}, f"archives/{SHA256}.zip"),
        ({"lock": "", "archives/backup.zip": "mine"}, "archives/backup.zip"),
        ({"lock": "a program's, with its pid"}, "lock"),
        ({"lock/": ""}, "lock"),
        ({"parts": "a file"}, "parts"),
        ({"other.partial": ""}, "other.partial"),
    ],
)
def test_a_folder_of_something_else(tmp_path: Path, refused: Refused, files: dict[str, str], named: str) -> None:
    root = fill(tmp_path / "state", files)
    root.chmod(0o755)
    assert refused(root) == (
        f"{root} is neither empty nor a state folder (it holds {named}). Name an empty folder, or one that does "
        "not exist yet, with --state."
    )


@pytest.mark.parametrize("manifest", ['{"name": "My app", "icons": []}', "[]", "not JSON"])
def test_a_manifest_of_another_program(tmp_path: Path, refused: Refused, manifest: str) -> None:
    root = fill(tmp_path / "state", {"manifest.json": manifest, "index.html": "mine", "parts/menu.html": "mine"})
    line = refused(root)
    assert f"{root}/manifest.json is damaged or not a cloud's: " in line
    assert line.endswith(". Name an empty folder with --state, or move this one away.")


def test_a_file(tmp_path: Path, refused: Refused) -> None:
    root = tmp_path / "state"
    root.write_text("mine")
    assert refused(root) == f"{root} cannot be a state folder (it is not a folder); name another with --state"


def test_a_folder_below_a_file(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "file").write_text("mine")
    assert "cannot be a state folder (Not a directory)" in refused(tmp_path / "file" / "state")


def test_the_root_folder(refused: Refused) -> None:
    assert refused(Path("/")) == "/ cannot be a state folder (it is the root folder); name another with --state"


def test_the_home_folder_even_if_it_is_empty(
    tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fill(tmp_path, {"home/": ""}) / "home"
    monkeypatch.setenv("HOME", str(home))
    assert refused(home) == f"{home} cannot be a state folder (it is your home folder); name another with --state"


def test_a_link_to_a_folder_of_something_else(tmp_path: Path, refused: Refused) -> None:
    fill(tmp_path / "other", {"notes.txt": "mine"})
    link = tmp_path / "state"
    link.symlink_to("other")
    assert "is neither empty nor a state folder (it holds notes.txt)" in refused(link)


def test_a_link_to_nothing(tmp_path: Path, refused: Refused) -> None:
    link = tmp_path / "state"
    link.symlink_to("missing")
    assert "(it is a symbolic link to missing, which does not exist)" in refused(link)


def test_a_link_to_itself(tmp_path: Path, refused: Refused) -> None:
    link = tmp_path / "state"
    link.symlink_to("state")
    assert "cannot be a state folder (Too many levels of symbolic links)" in refused(link)


def test_a_link_to_a_state_folder_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "state"
    (tmp_path / "disk").mkdir()
    link.symlink_to("disk")
    folder = StateFolder(link, ACCOUNT)
    folder.write({"one": b"\x80\x05K\x01."}, CLOCK)
    folder.close()
    again = StateFolder(link, ACCOUNT)
    assert again.parts(["one"]) == {"one": 1}
    again.close()


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"parts/": ""},
        {"parts/": "", "blobs/": ""},
        {"lock": "", "parts/": "", "blobs/": "", "archives/": ""},
        {"lock": "", "manifest.json.partial": "half"},
        {
            "lock": "",
            f"parts/{PART}": "",
            f"parts/{PART}.partial": "half",
            f"blobs/{SHA256}.partial": "half",
            f"archives/{SHA256}.zip": "",
            f"archives/{SHA256}.1234.partial": "half",
        },
    ],
)
def test_a_folder_whose_cloud_was_killed_before_its_first_manifest_is_used(
    tmp_path: Path, files: dict[str, str]
) -> None:
    root = (
        fill(tmp_path, {"state/": "", **{f"state/{name}": content for name, content in files.items()}}) / "state"
    )
    folder = StateFolder(root, ACCOUNT)
    folder.write({"one": b"\x80\x05K\x01."}, CLOCK)
    folder.close()
    assert [path.name[:4] for path in (root / "parts").iterdir()] == ["one-"]
    assert list((root / "blobs").iterdir()) == []


def test_only_files_with_the_names_of_a_state_are_removed(tmp_path: Path) -> None:
    root = tmp_path / "state"
    folder = StateFolder(root, ACCOUNT)
    folder.write({"one": b"\x80\x05K\x01."}, CLOCK)
    folder.close()
    others = {
        "notes.txt": "mine",
        "parts/notes.txt": "mine",
        "parts/other.partial": "mine",
        f"parts/one-{'AB' * 16}": "mine",
        f"blobs/{SHA256}.txt": "mine",
        "blobs/.DS_Store": "mine",
        "archives/backup.zip": "mine",
    }
    stale = {
        f"parts/{PART}": "",
        f"parts/{PART}.partial": "",
        f"blobs/{SHA256}": "",
        f"blobs/{SHA256}.partial": "",
    }
    fill(root, {**others, **stale})
    folder = StateFolder(root, ACCOUNT)
    folder.write({"one": b"\x80\x05K\x02."}, CLOCK)
    folder.close()
    assert [name for name in others if not (root / name).exists()] == []
    assert [name for name in stale if (root / name).exists()] == []


def test_the_command_leaves_another_folder_as_it_is(tmp_path: Path) -> None:
    files = {"parts/wheel.step": "mine", "blobs/photo": "mine", "archives/backup.zip": "mine"}
    root = fill(tmp_path / "mine", files)
    root.chmod(0o755)
    shutil.copytree(root, tmp_path / "copy")
    command = [sys.executable, "-m", "serinus.offline", "--port", "0", "--state", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3])
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert {path.relative_to(root).as_posix(): path.read_text() for path in root.glob("*/*")} == files
    assert sorted(path.name for path in root.iterdir()) == ["archives", "blobs", "parts"]
    assert root.stat().st_mode & 0o777 == 0o755


def test_a_key_may_lie_in_the_state_folder(tmp_path: Path) -> None:
    """The manifest is written before the key, so that the next start knows the folder."""
    folder = StateFolder(tmp_path / "state", ACCOUNT)
    folder.require_writable(CLOCK)
    folder.close()
    (tmp_path / "state" / "key").touch()
    again = StateFolder(tmp_path / "state", ACCOUNT)
    assert (again.clock, again.parts(["one"])) == (CLOCK, {})
    again.close()
    assert json.loads((tmp_path / "state" / "manifest.json").read_text())["parts"] == {}
