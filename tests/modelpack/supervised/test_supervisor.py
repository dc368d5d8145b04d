"""The packer keeps what its worker made, tells what it is told, and leaves nobody behind."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.lambda_handlers.contract.agreement import Agreement
from serinus.lambda_handlers.contract.bundle import verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, read_lock
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.errors import (
    Attempt,
    ConversionError,
    ParityError,
    RequestError,
    SourceError,
    UntrustedTypesError,
    WorkerError,
)
from serinus.modelpack.package import package
from serinus.modelpack.progress import Silent
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.supervised.failures import Traceback, describe, revive
from serinus.modelpack.supervised.supervisor import Packer

pytestmark = pytest.mark.slow

Requests = Callable[..., PackageRequest]


class Heard(Silent):
    def __init__(self) -> None:
        self.stages: list[str] = []
        self.notices: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def notice(self, message: str) -> None:
        self.notices.append(message)


def test_it_makes_and_tells_what_packaging_in_this_process_does(
    sound: Path, request_of: Requests, tmp_path: Path
) -> None:
    here, there = Heard(), Heard()
    expected = package(dataclasses.replace(request_of(sound), project=tmp_path / "other"), here)
    with Packer() as packer:
        packed = packer.package(request_of(sound), there)
    assert (there.stages, there.notices) == (here.stages, here.notices)
    assert verify(packed.bundle).version == packed.version == expected.version
    assert read_lock(packed.bundle.parents[2] / LOCK)["dev"]["given"].version == packed.version
    assert packed.bundle_bytes > packed.graph_bytes == expected.graph_bytes
    assert packed.parity == expected.parity
    assert packed.robustness == expected.robustness
    assert [line.title for line in packed.precisions] == [line.title for line in expected.precisions]


def test_result_and_request_survive_the_way(sound: Path, request_of: Requests) -> None:
    packed = package(request_of(sound))
    assert PackageResult.from_json(json.loads(json.dumps(packed.to_json()))) == packed
    asked = PackageRequest(
        sound, "n", None, Path(), "prod", Tolerance(cosine=0.9), ("a.B",), ("c", "d"), "y", False, Path("r.txt")
    )
    assert PackageRequest.from_json(json.loads(json.dumps(asked.to_json()))) == asked


def test_every_path_of_a_request_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = {
        field.name: Path(field.name) for field in dataclasses.fields(PackageRequest) if "Path" in str(field.type)
    }
    asked = PackageRequest(name="n", **paths).with_absolute_paths()
    assert {name: getattr(asked, name) for name in paths} == {name: tmp_path / name for name in paths}
    assert len(paths) >= 5


def test_refusal_leaves_the_worker_at_work_for_the_next(
    sound: Path, hostile: Any, request_of: Requests, tmp_path: Path
) -> None:
    (tmp_path / "cut.pkl").write_bytes(b"\x80")
    with Packer() as packer:
        with pytest.raises(SourceError, match="cannot be loaded") as caught:
            packer.package(request_of(tmp_path / "cut.pkl"))
        assert isinstance(caught.value.__cause__, Traceback)
        assert "in _open_pickle" in str(caught.value.__cause__)
        with pytest.raises(WorkerError, match="exit code 5"):
            packer.package(request_of(hostile("import os; os._exit(5)")))
        assert packer.package(request_of(sound)).parity.agrees


def test_what_is_raised_and_no_refusal_is_a_sentence_with_its_traceback(
    hostile: Any, request_of: Requests
) -> None:
    code = (
        "import serinus.modelpack.reference as room\ndef fails(*_): raise LookupError('[/x] {}')\n"
        "room.describe_features = fails"
    )
    with Packer() as packer, pytest.raises(WorkerError, match=r"LookupError: \[/x\] \{\}.*--debug") as caught:
        packer.package(request_of(hostile(code)))
    assert "in fails" in str(caught.value.__cause__)


def test_attempts_of_a_conversion_survive_the_way() -> None:
    attempts = (Attempt("scale", "Scaler", "float64", ""), Attempt("count", "Counter", "float32", "no converter"))
    described = json.loads(json.dumps(describe(ConversionError("no", "Counter", attempts))))
    revived = revive(described)
    assert isinstance(revived, ConversionError)
    assert (str(revived), revived.attempts) == ("no", attempts)


def test_dry_run_writes_nothing(sound: Path, request_of: Requests, project: Path) -> None:
    with Packer() as packer:
        packed = packer.package(request_of(sound, dry_run=True))
    assert packed.bundle_bytes == 0
    assert [path.name for path in project.iterdir()] == ["serinus.toml"]


def test_project_that_cannot_be_written_to_is_a_sentence(sound: Path, request_of: Requests, project: Path) -> None:
    (project / "bundles").write_text("no folder")
    with Packer() as packer, pytest.raises(RequestError, match="cannot be written to"):
        packer.package(request_of(sound))
    assert not (project / LOCK).exists()


def test_files_that_the_model_leaves_go_with_the_worker(
    hostile: Any, request_of: Requests, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    code = (
        "import os, tempfile\nhandle, path = tempfile.mkstemp()\n"
        f"open({str(place)!r}, 'w').write(path)\nos._exit(1)"
    )
    with Packer() as packer, pytest.raises(WorkerError):
        packer.package(request_of(hostile(code)))
    assert not Path(place.read_text()).exists()


@pytest.mark.parametrize(
    "error",
    [
        UntrustedTypesError("holds a.B", ("a.B",)),
        ContractError("lock is damaged"),
        ParityError("disagrees", Agreement(False, 3, 0.5, 1.0, 2.0, 1, (2, 0), 0.5)),
    ],
)
def test_refusal_keeps_class_message_and_fields_on_the_way(error: Exception) -> None:
    revived = revive(json.loads(json.dumps(describe(error))))
    assert type(revived) is type(error)
    assert str(revived) == str(error)
    assert vars(revived) == vars(error)


def _lives(process: int) -> bool:
    """Whether there is such a process, other than one that ended and waits to be noticed."""
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        pass
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc").is_dir()


_COMMAND = "from serinus.cli.main import main; main()"


def _begun(model: Path, project: Path, place: Path) -> "tuple[subprocess.Popen[str], list[int]]":
    """The command at work on ``model``, whose code wrote the numbers of its processes into ``place``."""
    sample = str(project.parent / "sample.csv")
    command = [sys.executable, "-c", _COMMAND, "package", str(model), "--name", "given", "--sample", sample]
    left = project.parent / "left"
    left.mkdir()
    running = subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, "TMPDIR": str(left)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not place.exists() and running.poll() is None:
        time.sleep(0.05)
    assert running.poll() is None, running.communicate()
    return running, [int(word) for word in place.read_text().split()]


def _wait_until_gone(processes: list[int]) -> None:
    while any(_lives(process) for process in processes):
        time.sleep(0.05)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_command_that_ends_takes_the_worker_and_its_descendants_along(
    ending: signal.Signals, hostile: Any, project: Path, tmp_path: Path
) -> None:
    place = tmp_path / "processes"
    code = (
        "import os, re, signal, subprocess, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
        f"open({str(place)!r} + '.new', 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.replace({str(place)!r} + '.new', {str(place)!r})\n"
        "re.match('(a+)+$', 'a' * 64 + 'b')"
    )
    running, processes = _begun(hostile(code), project, place)
    running.send_signal(ending)
    said = running.communicate()[1]
    _wait_until_gone(processes)
    assert running.returncode == (-ending if ending == signal.SIGKILL else 128 + ending)
    assert ending == signal.SIGKILL or not list((tmp_path / "left").iterdir())
    assert "Traceback" not in said
    assert not list(project.rglob("bundles"))
    assert [path.name for path in project.iterdir()] == ["serinus.toml"]
