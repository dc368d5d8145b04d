"""What a state folder refuses, and that it never holds half a state."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from serinus.offline.cloud.state import StateFolder
from serinus.offline.cloud.state_manifest import CLOCK_MARGIN_S, SavedClock
from serinus.offline.core.clock import real_time
from serinus.offline.core.errors import OfflineError

ACCOUNT = "123456789012"
CLOCK = SavedClock(cloud=2_000_000_000.0, real=1_900_000_000.0, factor=60.0)


def reopened(root: Path) -> StateFolder:
    return StateFolder(root, ACCOUNT)


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    folder = reopened(tmp_path)
    folder.write({"one": b"\x80\x05K\x01.", "two": b"\x80\x05K\x02."}, CLOCK)
    folder.write({"one": b"\x80\x05K\x03.", "two": b"\x80\x05K\x02."}, CLOCK)
    folder.close()
    again = reopened(tmp_path)
    assert again.parts(["one", "two", "three"]) == {"one": 3, "two": 2}
    assert again.clock == CLOCK
    assert len(list((tmp_path / "parts").iterdir())) == 2
    again.close()


def test_the_state_of_another_version_is_refused(tmp_path: Path) -> None:
    folder = reopened(tmp_path)
    folder.write({}, CLOCK)
    folder.close()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["stamp"]["moto"] = "1.0.0"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(OfflineError, match=r"written with moto 1\.0\.0; this cloud requires moto 5"):
        reopened(tmp_path)


def test_the_state_of_an_older_format_is_refused(tmp_path: Path) -> None:
    folder = reopened(tmp_path)
    folder.write({}, CLOCK)
    folder.close()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["stamp"]["format"] = "1"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        OfflineError, match=r"written with format 1; this cloud requires format \d+\. Name an empty folder"
    ):
        reopened(tmp_path)


def test_the_state_of_another_account_is_refused(tmp_path: Path) -> None:
    folder = reopened(tmp_path)
    folder.write({}, CLOCK)
    folder.close()
    with pytest.raises(OfflineError, match="account 123456789012"):
        StateFolder(tmp_path, "210987654321")


def test_a_folder_serves_one_cloud_at_a_time(tmp_path: Path) -> None:
    folder = reopened(tmp_path)
    with pytest.raises(OfflineError, match="in use by a running cloud"):
        reopened(tmp_path)
    folder.close()
    reopened(tmp_path).close()


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    folder = reopened(tmp_path)
    folder.write({"one": b"\x80\x05K\x01."}, CLOCK)
    (part,) = (tmp_path / "parts").iterdir()
    part.write_bytes(b"half")
    with pytest.raises(OfflineError, match=r"one-.* cannot be read"):
        folder.parts(["one"])
    folder.close()


def test_a_refused_state_ends_the_command_with_one_line(tmp_path: Path) -> None:
    folder = reopened(tmp_path)
    command = [
        sys.executable,
        "-m",
        "offline",
        "--port",
        "0",
        "--state",
        str(tmp_path),
        "--credentials",
        str(tmp_path / "key"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3])
    assert done.returncode == 1
    assert done.stderr.strip().endswith("or name another folder with --state.")
    folder.close()


def test_a_clock_goes_on_beyond_what_was_shown() -> None:
    assert CLOCK.restart() == CLOCK.cloud + 60 * CLOCK_MARGIN_S


def test_a_clock_that_real_time_overtook_goes_on_at_real_time() -> None:
    before = real_time()
    assert SavedClock(cloud=1_000_000_000.0, real=1_000_000_000.0, factor=1.0).restart() >= before


def test_a_stepped_clock_goes_on_where_it_stood() -> None:
    assert SavedClock(cloud=2_000_000_000.0, real=1_900_000_000.0, factor=0.0).restart() == 2_000_000_000.0
