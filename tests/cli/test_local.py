"""The offline cloud as a process: found by other commands, stopped by any of the ways a person has."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from serinus.cli import offline_process

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status(serinus, project: Path) -> dict[str, object]:
    return json.loads(serinus("local", "status", "--json", cwd=project).stdout)


def wait_until_ready(port: int, cloud: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert cloud.poll() is None
        try:
            if httpx.get(f"http://127.0.0.1:{port}/_offline/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"no cloud on port {port}")


def keys(project: Path) -> list[Path]:
    """The files with keys of clouds that are left in the project."""
    return list((project / ".serinus/local").glob("*.credentials"))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_is_found_and_ends_without_a_traceback(serinus, project: Path, ending: int) -> None:
    port = free_port()
    (project / "account.json").write_text('{"hooks-in-rollback": "no", "usage-plans": "exact"}')
    command = [sys.executable, "-m", "serinus", "local", "up", "--foreground", "--port", str(port)]
    command += ["--readings", "account.json", "--reading", "usage-plans=best-effort"]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as cloud:
        try:
            wait_until_ready(port, cloud)
            assert status(serinus, project)["pid"] == cloud.pid
            running = offline_process.find(project)
            assert running is not None
            readings = running.own_api().get("/readings").json()
            assert (readings["hooks-in-rollback"], readings["usage-plans"]) == ("no", "best-effort")
        finally:
            cloud.send_signal(ending)
            _, said = cloud.communicate(timeout=60)
    assert "Traceback" not in said
    assert status(serinus, project) == {"running": False}
    assert keys(project) == []


def test_two_clouds_run_side_by_side_and_go_down_together(serinus, project: Path) -> None:
    ports = [free_port(), free_port()]
    try:
        for port in ports:
            assert serinus("local", "up", "--port", str(port), cwd=project).returncode == 0
        again = serinus("local", "up", "--port", str(ports[0]), cwd=project)
        assert again.returncode == 1
        assert "already running" in again.stderr
        records = [json.loads(path.read_text()) for path in (project / ".serinus/local").glob("cloud-*.json")]
        assert {record["port"] for record in records} == set(ports)
        exports = serinus("local", "env", "--port", str(ports[1]), cwd=project).stdout
        assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{ports[1]}\n" in exports
    finally:
        assert serinus("local", "down", cwd=project).returncode == 0
    assert all(gone(record["pid"]) for record in records)


def test_a_copy_of_the_folder_has_no_cloud_and_a_moved_one_keeps_its_own(serinus, project: Path) -> None:
    assert serinus("local", "up", "--port", str(free_port()), cwd=project).returncode == 0
    moved = project.parent / "moved"
    try:
        copy = shutil.copytree(project, project.parent / "copy", ignore=shutil.ignore_patterns("*.sock"))
        assert serinus("local", "down", cwd=copy).returncode == 0
        assert status(serinus, copy) == {"running": False}
        assert status(serinus, project)["running"]
        project.rename(moved)
        assert status(serinus, moved)["running"]
    finally:
        serinus("local", "down", cwd=moved if moved.exists() else project)
    assert status(serinus, moved) == {"running": False}


def test_two_at_once_at_one_port_are_one_cloud_that_its_owner_can_use(project: Path, serinus) -> None:
    port = str(free_port())
    command = [sys.executable, "-m", "serinus", "local", "up", "--port", port]
    starting = [subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [one.communicate(timeout=300)[1] for one in starting]
    try:
        assert sorted(one.returncode for one in starting) == [0, 1, 1], said
        foreground = serinus("local", "up", "--port", port, "--foreground", cwd=project)
        assert (foreground.returncode, "already running" in foreground.stderr) == (1, True)
        assert status(serinus, project)["running"] is True
        cloud = offline_process.require(project)
        assert cloud.own_api().get("/clock").status_code == 200
        credentials = offline_process.credentials_path(project, cloud.port)
        credentials.chmod(0o644)
        opened = serinus("local", "status", cwd=project)
        assert (opened.returncode, "chmod 600" in opened.stderr) == (1, True)
        credentials.chmod(0o600)
    finally:
        assert serinus("local", "down", cwd=project).returncode == 0


def test_a_cloud_that_was_killed_is_not_taken_for_running(serinus, project: Path) -> None:
    serinus("local", "up", "--port", str(free_port()), cwd=project)
    os.kill(int(str(status(serinus, project)["pid"])), signal.SIGKILL)
    assert status(serinus, project) == {"running": False}
    assert keys(project) == []
    assert serinus("local", "down", cwd=project).stdout.strip() == "nothing was running"


def test_a_project_is_not_taken_for_a_state_folder(serinus, project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    mode = project.stat().st_mode
    refused = serinus("local", "up", "--port", str(free_port()), "--state", ".", cwd=project)
    assert refused.returncode == 1
    shown = " ".join(refused.stderr.split())
    assert "the offline cloud did not start: . is neither empty nor a state folder (it holds " in shown
    assert "Traceback" not in shown
    assert {path: path.read_bytes() for path in before} == before
    assert not [name for name in ("lock", "parts", "blobs", "archives") if (project / name).exists()]
    assert (project.stat().st_mode, keys(project)) == (mode, [])


START_AND_WAIT = """
import sys, time
from pathlib import Path
from serinus.cli import offline_process
cloud = offline_process.start(
    Path(sys.argv[1]), port=int(sys.argv[2]), identity=offline_process.CloudIdentity(), speed=1, end_with_this=True
)
print(cloud.pid, flush=True)
time.sleep(600)
"""


def test_a_cloud_of_one_command_ends_when_that_is_killed(project: Path) -> None:
    arguments = [sys.executable, "-c", START_AND_WAIT, str(project), str(free_port())]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        pid = int(command.stdout.readline())
        assert not gone(pid)
        command.kill()
    deadline = time.monotonic() + 60
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(pid)
    assert offline_process.find(project) is None
    assert not list((project / ".serinus/local").glob("*.tmp"))
