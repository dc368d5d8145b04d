"""A damaged state folder ends the command with one sentence that names the damage; the folder stays as it is."""

import json
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.offline.cloud.pickling import BlobReference, new_key, set_key_state
from serinus.offline.cloud.state import StateFolder
from serinus.offline.cloud.state_manifest import SavedClock

ACCOUNT = "123456789012"
CLOCK = SavedClock(cloud=2_000_000_000.0, real=1_900_000_000.0, factor=60.0)
ROOT = Path(__file__).parents[3]
NOBODY = 65534
EMPTY = pickle.dumps({})
SHA256 = "ab" * 32
ANOTHER = ". Name an empty folder with --state, or move this one away."

Refused = Callable[[Path], str]


class LargeObject:
    """Pickled as an S3 object is whose bytes are a blob."""

    def __reduce__(self) -> tuple[Any, ...]:
        return new_key, (), {"value": BlobReference(SHA256)}, None, None, set_key_state


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with one part."""
    folder = StateFolder(tmp_path / "state", ACCOUNT)
    folder.write({"moto-s3": EMPTY}, CLOCK)
    folder.close()
    return tmp_path / "state"


def part(state: Path) -> Path:
    (path,) = (state / "parts").iterdir()
    return path


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_file(path: Path) -> None:
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    path.touch()


def replace_by_link(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def change_manifest(**changed: Any) -> Callable[[Path], None]:
    def change(state: Path) -> None:
        path = state / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))

    return change


def write_manifest(data: bytes) -> Callable[[Path], None]:
    return lambda state: (state / "manifest.json").write_bytes(data) and None


def lose_blob(state: Path) -> None:
    folder = StateFolder(state, ACCOUNT)
    folder.write({"moto-s3": pickle.dumps(LargeObject())}, CLOCK)
    folder.close()


def damage_blob(state: Path) -> None:
    lose_blob(state)
    (state / "blobs" / SHA256).write_bytes(b"other")


MANIFEST = "/manifest.json is damaged or not a cloud's: "
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a part is missing": (lambda state: part(state).unlink(), " cannot be read (No such file or directory)"),
    "a part is junk": (
        lambda state: part(state).write_bytes(b"junk"),
        " is damaged: the SHA-256 of its content is ",
    ),
    "a part is empty": (lambda state: part(state).write_bytes(b""), " is damaged: the SHA-256 of its content is "),
    "a part is a folder": (
        lambda state: replace_by_folder(part(state)),
        " is not a file, and a state folder holds",
    ),
    "a part is a link": (lambda state: replace_by_link(part(state)), " is not a file, and a state folder holds"),
    "a folder in parts": (lambda state: (state / "parts" / "mine").mkdir(), "/parts/mine is not a file"),
    "a folder in blobs": (lambda state: (state / "blobs" / "mine").mkdir(), "/blobs/mine is not a file"),
    "a folder in archives": (lambda state: (state / "archives" / "mine").mkdir(), "/archives/mine is not a file"),
    "a blob is missing": (lose_blob, "cannot be read (FileNotFoundError: "),
    "a blob is damaged": (damage_blob, f"/blobs/{SHA256} is damaged: it has another hash than its name)"),
    "parts is a file": (lambda state: replace_by_file(state / "parts"), "/parts is not a folder"),
    "blobs is a file": (lambda state: replace_by_file(state / "blobs"), "/blobs is not a folder"),
    "archives is a file": (lambda state: replace_by_file(state / "archives"), "/archives is not a folder"),
    "parts is a link": (lambda state: replace_by_link(state / "parts"), "/parts is not a folder"),
    "the lock is a folder": (lambda state: replace_by_folder(state / "lock"), "/lock is not a file"),
    "the lock is a link": (lambda state: replace_by_link(state / "lock"), "/lock is not a file"),
    "the manifest is a folder": (
        lambda state: replace_by_folder(state / "manifest.json"),
        "/manifest.json is not a",
    ),
    "the manifest is a link": (
        lambda state: replace_by_link(state / "manifest.json"),
        "/manifest.json is not a file",
    ),
    "the manifest is empty": (write_manifest(b"\n"), f"{MANIFEST}Expecting value"),
    "the manifest is half": (write_manifest(b'{"stamp": {'), f"{MANIFEST}Expecting property name"),
    "the manifest is binary": (write_manifest(b"\xff\x00\xfe"), MANIFEST),
    "the manifest is deep": (write_manifest(b"[" * 100_000), MANIFEST),
    "the manifest is a list": (write_manifest(b"[1]"), f"{MANIFEST}it is [1], not a JSON object"),
    "the manifest is null": (write_manifest(b"null"), f"{MANIFEST}it is None, not a JSON object"),
    "the stamp is text": (change_manifest(stamp="1"), f"{MANIFEST}its stamp is '1', not a JSON object"),
    "the stamp is of a list": (change_manifest(stamp={"account": [1]}), "was written with account [1]"),
    "no clock": (change_manifest(clock=None), f"{MANIFEST}its clock is None, not three numbers"),
    "a short clock": (change_manifest(clock=[1, 2]), f"{MANIFEST}its clock is [1, 2], not three numbers"),
    "a clock of text": (change_manifest(clock=["x", 2, 3]), f"{MANIFEST}its clock holds 'x', not a number from 0"),
    "a clock of truth": (change_manifest(clock=[True, 2, 3]), f"{MANIFEST}its clock holds True, not a number"),
    "a clock of nan": (
        change_manifest(clock=[float("nan"), 2, 3]),
        f"{MANIFEST}its clock holds nan, not a number",
    ),
    "a clock of inf": (
        change_manifest(clock=[1, 2, float("inf")]),
        f"{MANIFEST}its clock holds inf, not a number",
    ),
    "a negative clock": (change_manifest(clock=[1, 2, -3]), f"{MANIFEST}its clock holds -3, not a number from 0"),
    "a clock of 1e300": (change_manifest(clock=[1e300, 2, 3]), f"{MANIFEST}its clock holds 1e+300, not a number"),
    "a clock at its end": (change_manifest(clock=[2e11, 2, 2e11]), "would go on after the year 9999"),
    "parts are a list": (change_manifest(parts=[1]), f"{MANIFEST}its list of parts is [1], not a JSON object"),
    "no parts": (change_manifest(parts=None), f"{MANIFEST}its list of parts is None, not a JSON object"),
    "a part of a number": (change_manifest(parts={"moto-s3": 1}), f"{MANIFEST}its part 'moto-s3' is in 1, not in"),
    "a part outside": (
        change_manifest(parts={"moto-s3": f"../../moto-s3-{'ab' * 16}"}),
        f"{MANIFEST}its part 'moto-s3' is in '../../moto-s",
    ),
    "a part named to be outside": (
        change_manifest(parts={"../../moto-s3": f"../../moto-s3-{'ab' * 16}"}),
        f"{MANIFEST}its part '../../moto-s3' is in '../../moto-s",
    ),
    "a part that is absolute": (change_manifest(parts={"moto-s3": "/etc/passwd"}), "is in '/etc/passwd', not in"),
    "a part of another's file": (change_manifest(parts={"moto-s3": f"one-{'ab' * 16}"}), "'moto-s3' is in 'one-"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused_by_one_sentence(state: Path, refused: Refused, damage: str) -> None:
    make, words = DAMAGES[damage]
    make(state)
    state.chmod(0o755)
    line = refused(state)
    assert line.startswith((str(state), f"the state in {state}"))
    assert words in line
    assert "--state" in line


@pytest.mark.parametrize("damage", ["a part is junk", "a blob is missing", "the manifest is a list"])
def test_the_sentence_names_the_next_step(state: Path, refused: Refused, damage: str) -> None:
    DAMAGES[damage][0](state)
    assert refused(state).endswith(ANOTHER)


def run(state: Path, preparation: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own that runs ``preparation`` once its modules are loaded."""
    script = (
        "import os, sys\nimport serinus.offline.cloud.serve\nfrom serinus.offline.__main__ import main\n"
        f"{preparation}\nsys.exit(main())\n"
    )
    command = [sys.executable, "-c", script, "--port", "0", "--state", str(state)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False, **more)


def test_a_damaged_part_ends_the_process_without_a_traceback(state: Path) -> None:
    part(state).write_bytes(b"junk")
    done = subprocess.run(
        [sys.executable, "-m", "serinus.offline", "--port", "0", "--state", str(state)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith(f"{part(state)} is damaged: ")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("closed", "mode"), [(".", 0o500), (".", 0o600), ("parts", 0o500), ("archives", 0o000)])
def test_a_folder_that_is_read_only_is_refused(state: Path, closed: str, mode: int) -> None:
    for folder in state.parents:
        if folder.stat().st_mode & 0o001:
            break
        folder.chmod(folder.stat().st_mode | 0o011)
    for path in [state, *state.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    (state / closed).chmod(mode)
    done = run(state, f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "read-only or closed to you" in done.stderr
    assert (state / closed).stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("is_new", [True, False])
def test_a_full_disk_is_reported_at_the_start(tmp_path: Path, state: Path, is_new: bool) -> None:
    """A process that may write no byte into a file meets what a full disk does."""
    root = tmp_path / "new" if is_new else state
    before = None if is_new else (root / "manifest.json").read_bytes()
    done = run(root, "", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY)))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert done.stderr.startswith(f"the state cannot be written to {root} (File too large). Free space there")
    assert list(root.rglob("*.partial")) == []
    assert before is None or (root / "manifest.json").read_bytes() == before
