"""A command whose standard streams are closed does its work, and says what it has to say where it can."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CLOSED = [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"]
_COMMAND = "from serinus.cli.main import main; main()"


def _run(closed: str, code: str, *arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    shell = ["/bin/sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", code, *arguments]
    return subprocess.run(shell, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("closed", CLOSED)
def test_command_that_succeeds(closed: str, tmp_path: Path) -> None:
    done = _run(closed, _COMMAND, "init", "here", folder=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert (tmp_path / "here" / "serinus.toml").is_file()


@pytest.mark.parametrize("closed", CLOSED)
def test_command_that_is_refused(closed: str, tmp_path: Path) -> None:
    done = _run(closed, _COMMAND, "package", "model.pkl", "--timeout", "0", folder=tmp_path)
    assert done.returncode == 2
    assert ("--timeout 0 must be" in done.stderr) == ("2>&-" not in closed)


@pytest.mark.parametrize("closed", CLOSED)
def test_no_file_takes_the_number_of_a_closed_stream(closed: str, tmp_path: Path) -> None:
    code = "import serinus.cli.console; file = open('opened', 'w'); file.write(str(file.fileno()))"
    assert _run(closed, code, folder=tmp_path).returncode == 0
    assert int((tmp_path / "opened").read_text()) > 2
