"""Whatever a model's code does to the process that runs it, the command says what happened and makes nothing."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.cli.main import main
from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock

pytestmark = pytest.mark.slow

Refused = Callable[..., str]
LOCKED = render_lock({"dev": {"given": Pin("0" * 64, "bundles/given/000000000000")}})


def _write_for_ever(piece: str, pause_s: float = 0.0) -> str:
    """Code that writes into whatever it finds open, again and again."""
    return (
        "import os, time\n"
        "while True:\n"
        " for place in range(3, 1024):\n"
        f"  try: os.write(place, {piece})\n"
        "  except OSError: pass\n"
        f" time.sleep({pause_s})"
    )


@pytest.fixture
def serinus(monkeypatch: pytest.MonkeyPatch, project: Path) -> Callable[..., Any]:
    def run(model: Path, *options: str) -> Any:
        sample = str(project.parent / "sample.csv")
        arguments = ["serinus", "package", str(model), "--name", "given", "--sample", sample, *options]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return run


@pytest.fixture
def refused(serinus: Callable[..., Any], project: Path, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Packages a model, which must fail as one sentence with exit code 1; gives that sentence."""

    def run(model: Path, *options: str) -> str:
        (project / LOCK).write_text(LOCKED)
        assert serinus(model, *options) == 1
        shown = capfd.readouterr()
        assert "Traceback" not in shown.err
        assert shown.out == ""
        assert not list(project.rglob("bundles"))
        assert (project / LOCK).read_text() == LOCKED
        assert (project / "serinus.toml").read_text() == ""
        return " ".join(shown.err[shown.err.index("error: ") :].split())

    return run


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(0)", "ended with exit code 0"),
        ("import os; os._exit(3)", "ended with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed (SIGKILL)"),
        ("import os, signal; os.killpg(0, signal.SIGKILL)", "was killed (SIGKILL)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed (SIGSEGV)"),
        ("import os; os.abort()", "crashed (SIGABRT)"),
        ("raise SystemExit", "SystemExit"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("import os; os.closerange(3, 1024)", "ended with exit code 1"),
        (
            "import os\nfor place in range(3, 1024):\n try: os.write(place, b'x\\n')\n except OSError: pass",
            "wrote into",
        ),
    ],
)
def test_process_that_the_model_ends(code: str, said: str, hostile: Any, refused: Refused) -> None:
    sentence = refused(hostile(code))
    assert said in sentence
    assert "model.pkl could not be packaged" in sentence
    assert "Nothing was written." in sentence
    assert sentence.endswith(".")


def test_exit_that_comes_with_an_answer(hostile: Any, refused: Refused) -> None:
    code = (
        "import sklearn.linear_model as library\n"
        "library.LinearRegression.predict = lambda *_, **__: __import__('os')._exit(0)"
    )
    assert "ended with exit code 0, in stage 'sample'" in refused(hostile(code))


def test_pickle_that_never_opens(hostile: Any, refused: Refused) -> None:
    sentence = refused(hostile("import time; time.sleep(3600)"), "--timeout", "0.05")
    assert "it made no progress for 3 seconds" in sentence
    assert "--timeout" in sentence


def test_code_that_holds_pythons_lock(hostile: Any, refused: Refused) -> None:
    code = "import re; re.match('(a+)+$', 'a' * 64 + 'b')"
    assert "it made no progress" in refused(hostile(code), "--timeout", "0.05")


def test_graph_that_loops_for_ever(endless: Path, refused: Refused) -> None:
    assert "an endless loop" in refused(endless, "--timeout", "0.1")


def test_message_that_never_ends_is_bounded(hostile: Any, refused: Refused) -> None:
    assert "its code wrote into" in refused(hostile(_write_for_ever("b'x' * 65536")))


def test_time_is_up_though_pieces_of_a_message_keep_coming(hostile: Any, refused: Refused) -> None:
    code = _write_for_ever("b'x'", pause_s=0.001)
    assert "it made no progress for 3 seconds" in refused(hostile(code), "--timeout", "0.05")


def test_table_that_is_no_message_is_none(hostile: Any, refused: Refused) -> None:
    assert "its code wrote into" in refused(hostile(_write_for_ever("b'{}\\n'")))


def test_working_folder_that_the_model_changes(
    hostile: Any, project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(hostile("import os; os.chdir('/')"), project / "model.pkl")
    shutil.copy(project.parent / "sample.csv", project / "rows.csv")
    monkeypatch.setattr(
        sys, "argv", ["serinus", *["package", "model.pkl", "--name", "given", "--sample", "rows.csv"]]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, capfd.readouterr().err
    assert (project / LOCK).is_file()


@pytest.mark.parametrize("timeout", ["0", "-1", "nan"])
def test_timeout_that_cannot_be(timeout: str, serinus: Callable[..., Any], sound: Path) -> None:
    assert serinus(sound, "--timeout", timeout) == 2


def test_what_the_model_prints_is_no_part_of_the_result(
    hostile: Any, project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import os; os.write(1, b'{\"result\": 1}\\n\\x00\\xff garbage\\n'); print('{\"error\": 2}'); os.close(1)"
    )
    sample = str(project.parent / "sample.csv")
    arguments = ["package", str(hostile(code)), "--name", "given", "--sample", sample, "--json"]
    monkeypatch.setattr(sys, "argv", ["serinus", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capfd.readouterr()
    assert not ended.value.code, shown.err
    assert json.loads(shown.out)["name"] == "given"
    assert "garbage" in shown.err
    assert (project / LOCK).is_file()
