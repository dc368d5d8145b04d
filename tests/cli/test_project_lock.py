"""Deploys and rollbacks of one project take turns."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from serinus.cli.errors import CliError
from serinus.cli.project_lock import project_lock

HOLD = """
import sys
from pathlib import Path
from serinus.cli.project_lock import project_lock
with project_lock(Path(sys.argv[1]), wait=False):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_turn_is_refused_or_waited_for_and_given_back(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(CliError, match="another `serinus deploy` or `serinus rollback` of this project"),
            project_lock(tmp_path, wait=False),
        ):
            raise AssertionError("it was not refused")
        threading.Timer(0.3, other.kill).start()  # however a command ends
        with project_lock(tmp_path, wait=True):
            assert other.wait(60) != 0
    with project_lock(tmp_path, wait=False):
        pass


START_A_PROGRAM = """
import subprocess, sys
from pathlib import Path
from serinus.cli.project_lock import held_files, project_lock
with project_lock(Path(sys.argv[1]), wait=False):
    program = [sys.executable, "-c", "import sys; print('started', flush=True); sys.stdin.read()"]
    subprocess.run(program, pass_fds=held_files())
"""


def test_the_turn_of_a_killed_command_lasts_until_its_program_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START_A_PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdin is not None
        assert killed.stdout is not None
        assert killed.stdout.readline() == "started\n"
        killed.kill()
        killed.wait()
        with pytest.raises(CliError), project_lock(tmp_path, wait=False):
            raise AssertionError("it was not refused")
        killed.stdin.close()  # the program ends
        with project_lock(tmp_path, wait=True):
            pass
