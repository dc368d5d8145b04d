"""The reaper kills the process groups that were announced and not withdrawn, and only those."""

import io
import subprocess
import sys

from serinus.offline.sandbox import reaper


def test_withdrawn_groups_are_spared():
    assert reaper.follow(io.StringIO("+10\n+11\n-10\n+12\n")) == {11, 12}


def test_a_group_that_is_gone_is_no_error():
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    process.wait()
    reaper.kill_group(process.pid)


def test_scratch_directories_go_too(tmp_path):
    scratch = tmp_path / "scratch"
    (scratch / "code").mkdir(parents=True)
    (scratch / "code" / "app.py").write_text("x = 1")
    (scratch / "code").chmod(0o555)
    subprocess.run([sys.executable, "-S", reaper.__file__, str(scratch)], input="", text=True, check=True)
    assert not scratch.exists()


def test_the_end_of_the_pipe_kills_what_is_left():
    victim = subprocess.Popen(["sleep", "600"], start_new_session=True)
    spared = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        subprocess.run(
            [sys.executable, "-S", reaper.__file__],
            input=f"+{victim.pid}\n+{spared.pid}\n-{spared.pid}\n",
            text=True,
            check=True,
        )
        assert victim.wait(timeout=30) == -9
        assert spared.poll() is None
    finally:
        spared.kill()
        spared.wait()
