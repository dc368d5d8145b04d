"""A cloud whose state can no longer be written goes on, tries again, and says what is not saved."""

import asyncio
import contextlib
import errno
import functools
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.offline.cloud import state
from serinus.offline.cloud.serve import running
from serinus.offline.cloud.state import StateFolder, StateKeeper
from serinus.offline.cloud.state_manifest import SavedClock
from serinus.offline.core.clock import Clock
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.steps import Steps

ACCOUNT = "123456789012"
LARGE = bytes(range(256)) * 64
NOT_SAVED = "the state is not saved: the last write to "


class CountedFolder(StateFolder):
    """Counts attempts to write, and the writes that ended well."""

    attempts = writes = 0

    def prepare(self) -> None:
        self.attempts += 1
        super().prepare()

    def was_tried(self, times: int) -> bool:
        return self.attempts >= times

    def write(self, *arguments: Any, **more: Any) -> None:
        super().write(*arguments, **more)
        self.writes += 1


@pytest.fixture
def on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """State is written on request only: no write is under way while a test takes the folder away."""
    monkeypatch.setattr(state, "INTERVAL_S", 3600.0)


def remove(folder: Path) -> None:
    """At once, whatever is written into it meanwhile."""
    folder.rename(Path(tempfile.mkdtemp(dir=folder.parents[1])) / "removed")


def replace_by_file(folder: Path) -> None:
    remove(folder)
    folder.touch()


def replace_by_another(folder: Path) -> None:
    remove(folder)
    folder.mkdir()
    (folder / "lock").touch()


LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "the folder is removed": (remove, "it was removed or replaced after the cloud had started"),
    "the folder is replaced": (replace_by_another, "it was removed or replaced after the cloud had started"),
    "parts is a file": (lambda root: replace_by_file(root / "parts"), "File exists"),
    "blobs is a file": (lambda root: replace_by_file(root / "blobs"), "File exists"),
    "the manifest's partial file is a folder": (
        lambda root: (root / "manifest.json.partial").mkdir(),
        "Is a directory",
    ),
}


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@contextlib.asynccontextmanager
async def keeping(root: Path, snapshot: Callable[[], Any]) -> AsyncIterator[tuple[StateKeeper, CountedFolder]]:
    """A keeper of one part's state in ``root``, which has written once, and its folder."""
    folder = CountedFolder(root, ACCOUNT)
    keeper = StateKeeper(folder, Clock(1.0), Steps(), {"one": snapshot})
    keeper.start()
    keeper.soon()
    await until(lambda: folder.writes)
    yield keeper, folder
    await keeper.stop()


async def until(probe: Callable[[], Any], within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not probe():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("on_request")
@pytest.mark.parametrize("loss", LOSSES)
def test_one_error_is_logged_and_another_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, loss: str
) -> None:
    lose, reason = LOSSES[loss]
    root = tmp_path / "state"

    async def lose_folder() -> None:
        async with keeping(root, lambda: 1) as (keeper, folder):
            lose(root)
            before = folder.attempts
            for attempt in range(1, 4):
                keeper.soon()
                await until(functools.partial(folder.was_tried, before + attempt))
            await until(lambda: errors(caplog))
            assert len(errors(caplog)) == 1

    asyncio.run(lose_folder())
    first, last = errors(caplog)
    assert first == (
        f"the state cannot be written to {root} ({reason}). The cloud goes on and tries again; until it succeeds, "
        "changes are in memory only. Free space there, or restart it with another --state"
    )
    assert last.startswith(f"{NOT_SAVED}{root} failed ({reason}); at most the state of ")


@pytest.mark.usefixtures("on_request")
def test_a_folder_that_was_replaced_is_left_to_its_cloud(tmp_path: Path) -> None:
    root = tmp_path / "state"

    async def replace() -> None:
        async with keeping(root, lambda: 1) as (keeper, _):
            replace_by_another(root)
            keeper.soon()

    asyncio.run(replace())
    assert [path.name for path in root.iterdir()] == ["lock"]


@pytest.mark.usefixtures("on_request")
def test_the_state_is_whole_again_once_it_can_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "state"
    numbers = iter(range(1_000_000))
    latest = []

    def snapshot() -> int:
        latest[:] = [next(numbers)]
        return latest[0]

    async def lose_and_mend() -> None:
        async with keeping(root, snapshot) as (keeper, _):
            replace_by_file(root / "parts")
            keeper.soon()
            await until(lambda: errors(caplog))
            (root / "parts").unlink()
            keeper.soon()
            await until(lambda: "saved in" in caplog.text)

    asyncio.run(lose_and_mend())
    assert len(errors(caplog)) == 1
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        f"the state is saved in {root} again"
    ]
    folder = StateFolder(root, ACCOUNT)
    assert folder.parts(["one"]) == {"one": latest[0]}
    folder.close()


def test_parts_and_blobs_that_were_removed_are_written_again(tmp_path: Path) -> None:
    """Also those that did not change since."""
    root = tmp_path / "state"
    with running(CloudConfig(port=0, state_dir=root)) as cloud:
        cloud.client("s3").create_bucket(Bucket="kept")
        cloud.client("s3").put_object(Bucket="kept", Key="large", Body=LARGE)
        cloud.save_soon()
        while not list((root / "blobs").glob("?" * 64)):
            cloud.clock.time()
        for name in ("parts", "blobs"):
            remove(root / name)
    with running(CloudConfig(port=0, state_dir=root)) as cloud:
        assert cloud.client("s3").get_object(Bucket="kept", Key="large")["Body"].read() == LARGE


def test_a_write_that_fails_leaves_the_former_state_and_no_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that attempts do not fill a disk that is nearly full."""
    clock = SavedClock(cloud=2_000_000_000.0, real=1_900_000_000.0, factor=1.0)
    folder = StateFolder(tmp_path / "state", ACCOUNT)
    folder.write({"one": b"\x80\x05K\x01.", "two": b"\x80\x05K\x02."}, clock)
    before = sorted(tmp_path.rglob("*"))
    synchronize = os.fsync
    written = []

    def fill_up(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synchronize(descriptor)

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(OSError, match="No space left"):
        folder.write({"one": b"\x80\x05K\x03.", "two": b"\x80\x05K\x04."}, clock)
    assert sorted(tmp_path.rglob("*")) == before
    assert folder.parts(["one", "two"]) == {"one": 1, "two": 2}
    monkeypatch.undo()
    folder.write({"one": b"\x80\x05K\x03.", "two": b"\x80\x05K\x04."}, clock)
    assert folder.parts(["one", "two"]) == {"one": 3, "two": 4}
    folder.close()


def test_a_cloud_without_its_folder_serves_to_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "state"
    with running(CloudConfig(port=0, state_dir=root)) as cloud:
        remove(root)
        cloud.save_soon()
        while not errors(caplog):
            cloud.client("sqs").list_queues()
        queue = cloud.client("sqs").create_queue(QueueName="made-later")["QueueUrl"]
        assert queue in cloud.client("sqs").list_queues()["QueueUrls"]
    assert [error.startswith(NOT_SAVED) for error in errors(caplog)] == [False, True]
    assert not root.exists()
