"""One cold start: a process under AWS's runtime client, from its start to its first answer."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import page_cache
from lab.runtime_api import RuntimeApi
from lab.throttle import limited_to

#: Seconds after which a start is given up.
PATIENCE_S = 180.0
#: The child enters its control group before it becomes Python, so that all of Python's start is throttled.
_ENTER = 'echo 0 > "$1" && shift && exec "$@"'


@dataclass(frozen=True, slots=True)
class Function:
    """A function as Lambda unpacks it. ``layers`` are folders as zips hold them, with `python/` inside;
    ``client`` is the folder that stands for /var/runtime."""

    name: str
    python: Path
    client: Path
    task: Path
    layers: tuple[Path, ...]
    handler: str
    environment: Mapping[str, str]

    def files(self) -> list[Path]:
        """Folders that a cold start reads from, Python's own among them."""
        prefix = self.python.resolve().parents[1]
        return [self.task, *self.layers, self.client, prefix / "bin", prefix / "lib"]


@dataclass(frozen=True, slots=True)
class Start:
    """Milliseconds from the process' start to its first question for work (``init_ms``) and to its first answer
    (``cold_ms``); of each later request (``warm_ms``); processor time till the end (``cpu_ms``), which a busy
    machine changes least; the peak of resident memory at the end, in MB."""

    init_ms: float
    cold_ms: float
    warm_ms: tuple[float, ...]
    cpu_ms: float
    peak_mb: float
    answer: dict[str, Any]


def start(
    function: Function, events: Sequence[bytes], memory_mb: int | None, *, drop_cache: bool = False
) -> Start:
    """Start ``function`` with the CPU share of ``memory_mb`` (None: all) and let it answer ``events``.
    Raises `SystemExit` with what the process said where it fails."""
    if drop_cache:
        page_cache.drop(function.files())
    with tempfile.TemporaryDirectory() as scratch, RuntimeApi(events) as api, limited_to(memory_mb) as group:
        command = [str(function.python), "-S", "-s", "-B", "-m", "awslambdaric", function.handler]
        if group is not None:
            command = ["/bin/sh", "-c", _ENTER, "sh", str(group), *command]
        output = Path(scratch) / "output"
        with output.open("wb") as file:
            begun = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=function.task,
                env=_environment(function, api.address, scratch, memory_mb),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(api, process)
            peak_mb = _peak_mb(process.pid)
        finally:
            used = _end(process)
        said = api.said
        if said.failure is not None or len(said.answers) < len(events):
            raise SystemExit(
                f"{function.name} failed: {said.failure!r}\n{output.read_text(errors='replace')[-3000:]}"
            )
    return Start(
        init_ms=(said.asked_at[0] - begun) * 1000,
        cold_ms=(said.answered_at[0] - begun) * 1000,
        warm_ms=tuple(
            (answered - asked) * 1000
            for asked, answered in zip(said.asked_at[1:], said.answered_at[1:], strict=False)
        ),
        cpu_ms=(used.ru_utime + used.ru_stime) * 1000,
        peak_mb=peak_mb,
        answer=json.loads(said.answers[0]),
    )


def _environment(function: Function, address: str, scratch: str, memory_mb: int | None) -> dict[str, str]:
    path = [*(str(layer / "python") for layer in function.layers), str(function.client)]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": scratch,
        "TMPDIR": scratch,
        "PYTHONPATH": ":".join(path),
        "LAMBDA_TASK_ROOT": str(function.task),
        "LAMBDA_RUNTIME_DIR": str(function.client),
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb or 1769 * (os.cpu_count() or 1)),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_RUNTIME_API": address,
        **function.environment,
    }


def _wait(api: RuntimeApi, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not api.done.wait(0.2):
        if process.poll() is not None or time.monotonic() > deadline:
            return


def _peak_mb(pid: int) -> float:
    """Of the process as it is: what `getrusage` tells of a child includes its parent before exec."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else 0.0


def _end(process: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    """Kill the process and what it started, so that its control group can be removed; what it used."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is not None:
        return resource.getrusage(resource.RUSAGE_CHILDREN)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used
