"""What commands change in a project's files: every pin is kept, and what people wrote stays as it is."""

import fcntl
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from serinus.cli.errors import CliError
from serinus.cli.lock_update import repin
from serinus.cli.rollback_plan import ServedBundle
from serinus.cli.settings_file import add_endpoint
from serinus.lambda_handlers.contract.bundle import Manifest, compute_version, dump_json
from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock, render_lock
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.contract.tolerance import Tolerance

WRITTEN = """# Ours. Ask Ann before a change.
[project]
name = "shop"   # as on the door

[endpoint.rent]
memory_mb = 512 # measured
"""
PIN = """
import sys
from pathlib import Path
from serinus.lambda_handlers.contract.lock import Pin
from serinus.modelpack.locking import pin_bundle
for number in range(40):
    pin_bundle(Path(sys.argv[1]), "dev", f"packaged-{number}", Pin("a" * 64, "bundles/x"))
"""


@pytest.fixture
def bundle(tmp_path: Path) -> ServedBundle:
    manifest = Manifest("churn", "", Signature("regression", (), (), ()), "float32", Tolerance(), "t").to_json()
    version = compute_version(b"graph", manifest, b"{}", b"{}")
    folder = tmp_path / "bundles" / "churn" / version[:12]
    folder.mkdir(parents=True)
    manifest["version"] = version
    (folder / "model.json").write_bytes(dump_json(manifest))
    for name, content in (("model.onnx", b"graph"), ("baseline.json", b"{}"), ("golden.json", b"{}")):
        (folder / name).write_bytes(content)
    return ServedBundle("churn", version[:12])


def test_a_rollback_waits_for_who_changes_the_pins_and_keeps_theirs(tmp_path: Path, bundle: ServedBundle) -> None:
    theirs = Pin("b" * 64, "bundles/rent/b")
    guard = tmp_path / ".serinus" / "lock.guard"
    guard.parent.mkdir()
    rollback = threading.Thread(target=repin, args=(tmp_path, "dev", bundle))
    with guard.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        rollback.start()
        rollback.join(0.3)  # without the guard it has written by now
        (tmp_path / LOCK).write_text(render_lock({"dev": {"rent": theirs}}))
    rollback.join()
    assert read_lock(tmp_path / LOCK)["dev"].keys() == {"churn", "rent"}
    assert read_lock(tmp_path / LOCK)["dev"]["rent"] == theirs


def test_rollbacks_and_packaging_at_once_lose_no_pin(tmp_path: Path, bundle: ServedBundle) -> None:
    packaging = subprocess.Popen([sys.executable, "-c", PIN, str(tmp_path)])
    rounds = 0
    while packaging.poll() is None or rounds == 0:
        repin(tmp_path, f"env{rounds}", bundle)
        rounds += 1
    assert packaging.returncode == 0
    lock = read_lock(tmp_path / LOCK)
    assert len(lock["dev"]) == 40
    assert sum(1 for name in lock if name.startswith("env")) == rounds


def test_a_lock_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path, bundle: ServedBundle) -> None:
    (tmp_path / ".serinus").write_text("a file, so that no guard can be made")
    with pytest.raises(CliError, match=r"serinus\.lock cannot be written"):
        repin(tmp_path, "dev", bundle)


@pytest.mark.parametrize(
    "text", [WRITTEN, WRITTEN.rstrip("\n"), WRITTEN + "\n", WRITTEN.replace("\n", "\r\n"), ""]
)
def test_what_people_wrote_in_the_settings_stays(tmp_path: Path, text: str) -> None:
    settings = tmp_path / "serinus.toml"
    settings.write_bytes(text.encode())
    settings.chmod(0o640)
    assert add_endpoint(settings, "churn")
    end = "\r\n" if "\r" in text else "\n"
    content = settings.read_bytes().decode()
    assert content.startswith(text)
    assert content.removeprefix(text).strip() == "[endpoint.churn]"
    assert content.endswith(f"[endpoint.churn]{end}")
    assert content.count("\r") == (content.count("\n") if end == "\r\n" else 0)
    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    assert not add_endpoint(settings, "churn")
    assert settings.read_bytes().decode() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == [".serinus", "serinus.toml"]


def test_a_link_to_the_settings_stays_one(tmp_path: Path) -> None:
    (tmp_path / "shared.toml").write_text(WRITTEN)
    (tmp_path / "serinus.toml").symlink_to("shared.toml")
    assert add_endpoint(tmp_path / "serinus.toml", "churn")
    assert (tmp_path / "serinus.toml").is_symlink()
    assert (tmp_path / "shared.toml").read_text().endswith("\n\n[endpoint.churn]\n")


def test_endpoints_added_at_once_are_all_kept(tmp_path: Path) -> None:
    (tmp_path / "serinus.toml").write_text(WRITTEN)
    names = [f"model-{number}" for number in range(8)]
    threads = [threading.Thread(target=add_endpoint, args=(tmp_path / "serinus.toml", name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"[endpoint.{name}]\n" in (tmp_path / "serinus.toml").read_text() for name in names)


def test_settings_that_cannot_take_the_table_are_left_alone(tmp_path: Path) -> None:
    settings = tmp_path / "serinus.toml"
    settings.write_text("[endpoint.rent]\n")
    (tmp_path / ".serinus").write_text("a file, so that no guard can be made")
    with pytest.raises(
        CliError,
        match=r"\[endpoint\.churn\] cannot be added to .*packaged and pinned: add the table",
    ):
        add_endpoint(settings, "churn")
    assert settings.read_text() == "[endpoint.rent]\n"
