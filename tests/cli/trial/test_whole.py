"""`serinus try` as a person runs it: from an empty folder, on a terminal and without one."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(CHECKOUT / "examples"), str(CHECKOUT / "docs")]

from transcripts import agrees, blocks  # noqa: E402

PATIENCE_S = 400.0
STAGES = ("package model.joblib: ONNX", "start an offline cloud", "build layers, bootstrap and deploy", "predict")

#: What the guide shows of a trial.
(PAGE,) = [
    block for block in blocks(CHECKOUT / "docs" / "guide.md") if "start an offline cloud of its own" in block
]

pytestmark = pytest.mark.xdist_group("try")


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from train import train

    folder = tmp_path_factory.mktemp("training")
    train(folder)
    return folder


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """What is left behind shows in `scratch`."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "empty").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "scratch")}


def command(training: Path, *arguments: str) -> list[str]:
    model, sample = training / "model.joblib", training / "sample.csv"
    return [sys.executable, "-m", "serinus", "try", str(model), str(sample), *arguments]


def processes_of(folder: Path) -> list[bytes]:
    """Command lines of processes that name ``folder`` there or in a variable."""
    named = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
        if str(folder).encode() in line + environment:
            named.append(line)
    return named


def await_nothing_left(scratch: Path) -> None:
    deadline = time.monotonic() + 60
    while processes_of(scratch):
        assert time.monotonic() < deadline, processes_of(scratch)
        time.sleep(0.1)
    assert list(scratch.iterdir()) == []


@pytest.mark.cdk
def test_on_a_terminal_the_printed_command_calls_the_endpoint_until_enter(
    training: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(training), cwd=tmp_path / "empty", env=variables, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    printed, deadline = "", time.monotonic() + PATIENCE_S
    try:
        while "Enter or Ctrl-C" not in printed:
            assert time.monotonic() < deadline, printed
            if select.select([ours], [], [], 1.0)[0]:
                printed += os.read(ours, 1 << 16).decode()
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", printed)
        for stage in STAGES:
            assert re.search(rf"^done +[\d.]+ s  {stage}", shown, re.MULTILINE), shown
        assert agrees(*(text[text.index("done ") :].partition("\nURL")[0] for text in (PAGE, shown)))
        rows = re.findall(r"^(\d) +(\w+ [\d.]+) +(\w+ [\d.]+) +([\d.e+-]+)$", shown, re.MULTILINE)
        assert [row[0] for row in rows] == ["0", "1", "2"]
        assert all(served == source and float(difference) < 1e-6 for _, served, source, difference in rows)
        (curl,) = re.findall(r"^curl .+$", shown, re.MULTILINE)
        answer = subprocess.run(curl, shell=True, capture_output=True, text=True, check=True)
        assert f'"labels":["{rows[0][1].split()[0]}"]' in answer.stdout
        os.write(ours, b"\n")
        assert process.wait(PATIENCE_S) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)
    await_nothing_left(tmp_path / "scratch")
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGINT, "scratch/serinus-*/draft-*"), (signal.SIGHUP, "kept/.serinus/local/cloud-*.json")],
)
def test_a_signal_leaves_nothing(
    training: Path, tmp_path: Path, variables: dict[str, str], number: signal.Signals, moment: str
) -> None:
    log = tmp_path / "log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            command(training, "--keep", str(tmp_path / "kept")),
            cwd=tmp_path / "empty",
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not list(tmp_path.glob(moment)):
            assert time.monotonic() < deadline, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        process.send_signal(number)
        # Python 3.11 ends by the signal itself if that came while a module made code of a string; shells say 130.
        assert process.wait(PATIENCE_S) in (128 + number, -number), log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "Traceback" not in log.read_text()
    assert not (tmp_path / "kept").exists()
    await_nothing_left(tmp_path / "scratch")


def run(arguments: list[str], tmp_path: Path, variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        arguments, cwd=tmp_path / "empty", env=variables, capture_output=True, text=True, timeout=PATIENCE_S
    )


@pytest.mark.slow
def test_a_stage_that_fails_is_one_sentence(training: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    (other := tmp_path / "other.csv").write_text("a,b\n1,2\n")
    done = run([*command(training)[:-1], str(other)], tmp_path, variables)
    failed, error = done.stderr.splitlines()
    assert done.returncode == 4
    assert re.match(r"failed +[\d.]+ s  package model\.joblib", failed)
    assert error.startswith("error: the sample lacks 'mean radius', ")
    await_nothing_left(tmp_path / "scratch")


def test_a_machine_without_node_is_named_before_anything_is_done(
    training: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    done = run(command(training), tmp_path, variables | {"PATH": str(tmp_path / "nothing")})
    assert done.returncode == 1
    assert done.stderr.startswith("error: Node 20 or later, with npm, is missing (not on PATH)")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("nowhere.joblib", "sample.csv"), "nowhere.joblib does not exist"),
        (("model.joblib", "nowhere.csv"), "nowhere.csv does not exist"),
        (("model.joblib",), "model.joblib comes without rows. Add a table"),
        ((".", "sample.csv"), "is a folder, but not an MLflow model"),
    ],
)
def test_what_is_clear_at_once_is_wrong_usage(
    training: Path, tmp_path: Path, variables: dict[str, str], names: tuple[str, ...], message: str
) -> None:
    paths = [str(training / name) for name in names]
    done = run([sys.executable, "-m", "serinus", "try", *paths], tmp_path, variables)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
