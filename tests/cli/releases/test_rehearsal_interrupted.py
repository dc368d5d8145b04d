"""`serinus rehearse` interrupted: one line, and nothing left of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("interrupted")]

PATIENCE_S = 300.0
PROCESSES = Path("/proc")


@pytest.fixture(scope="module")
def packaged(project: Path) -> Path:
    arguments = ["package", "training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv"]
    subprocess.run([sys.executable, "-m", "serinus", *arguments], cwd=project, check=True, capture_output=True)
    (project / "serinus.toml").write_text('[project]\nname = "shop"\n\n[endpoint.churn]\nmodel = "tumour"\n')
    return project


def started_from(folder: Path) -> list[str]:
    """Command lines of processes that name ``folder``, or were handed it in their environment, Linux only."""
    found, name = [], str(folder).encode()
    for process in PROCESSES.glob("[0-9]*"):
        try:
            command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
        if name in command or name in environment:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def await_(happened: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("moment", ["starting an offline cloud", "of traffic goes to version 2"])
def test_ctrl_c_takes_everything_down(packaged: Path, tmp_path: Path, moment: str) -> None:
    scratch, report, log = tmp_path / "scratch", tmp_path / "report.html", tmp_path / "log"
    scratch.mkdir()
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "serinus", "rehearse", "churn", "--env", "dev", "--html", str(report)],
            cwd=packaged,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        await_(lambda: moment in log.read_text() or process.poll() is not None)
        await_(lambda: any(scratch.glob("*/.serinus/local/cloud-*.json")) or process.poll() is not None)
        os.killpg(process.pid, signal.SIGINT)
        # Python 3.11 ends by the signal itself if that came while a module made code of a string; shells say 130.
        assert process.wait(PATIENCE_S) in (130, -signal.SIGINT), log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    last_line = log.read_text().splitlines()[-1]
    assert last_line == (
        f"error: the rehearsal was interrupted and its cloud was stopped; {report} was not written"
    ), log.read_text()
    assert "Traceback" not in log.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "scratch"]
    await_(lambda: not started_from(scratch))
    assert not list(scratch.iterdir())


def test_a_kill_ends_all_that_it_started_and_the_next_command_deletes_its_files(
    packaged: Path, tmp_path: Path
) -> None:
    scratch, log = tmp_path / "scratch", tmp_path / "log"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "serinus", "rehearse", "churn", "--env", "dev"],
            cwd=packaged,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        await_(lambda: any(scratch.glob("*/stable/deploy.log")) or process.poll() is not None)
    finally:
        process.kill()
        process.wait()
    # Without its cloud, the CDK CLI would try again for minutes.
    await_(lambda: not any("cdk" in command for command in started_from(scratch)), patience_s=30)
    await_(lambda: not started_from(scratch))
    assert list(scratch.iterdir())
    package = ["package", "training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv"]
    subprocess.run(
        [sys.executable, "-m", "serinus", *package], cwd=packaged, env=environment, check=True, capture_output=True
    )
    assert not list(scratch.iterdir())
