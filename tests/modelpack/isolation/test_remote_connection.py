"""Whatever a model writes where the Python of its own versions tells, it is an answer or an error."""

import subprocess
import sys
from typing import Any

import pytest

from serinus.modelpack.errors import IsolationError
from serinus.modelpack.isolation import remote
from serinus.modelpack.progress import Silent


def _answer_to(code: str) -> Any:
    # A Python that ended before it read the request would break the pipe.
    command = [sys.executable, "-c", f"input()\n{code}"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", start_new_session=True
    ) as process:
        try:
            return remote._Connection(process, None, Silent()).request("load")
        finally:
            process.kill()


@pytest.mark.parametrize("written", ["'no answer'", "'[1]'", "'{}'", "'{\"result\"'"])
def test_line_that_is_no_answer_is_an_error(written: str) -> None:
    with pytest.raises(IsolationError, match="code wrote into"):
        _answer_to(f"print({written})")


def test_line_that_never_ends_is_read_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_LONGEST_ANSWER", 100_000)
    with pytest.raises(IsolationError, match="code wrote into"):
        _answer_to("import sys\nwhile True: sys.stdout.write('x' * 65536)")


def test_answer_is_read() -> None:
    assert _answer_to('print(\'{"notice": "n"}\\n{"result": 3}\')') == 3
