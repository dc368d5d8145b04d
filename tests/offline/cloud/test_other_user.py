"""Another user of the machine: reaches every port on loopback, and gets nothing from any."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from serinus.offline.client.own_api import OwnApi
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.core.errors import OfflineError
from serinus.offline.core.root_key import RootKey
from serinus.offline.sandbox.peer import tells_users, user_at

pytestmark = pytest.mark.slow

NOBODY = 65534
ROOT = Path(__file__).parents[3]
#: Becomes another user, who could not load this interpreter, and does one thing.
BECOME = f"""
import http.client, os, socket, sys, urllib.error, urllib.request, encodings.idna
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); os.chdir("/")
"""
ASK = """
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(sys.argv[1], timeout=10) as answer:
        print(answer.status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print(type(getattr(error, "reason", error)).__name__)
"""
READ = """
for path in sys.argv[1:]:
    try:
        print(os.listdir(path) if os.path.isdir(path) else open(path).read())
    except PermissionError:
        print("refused")
"""
needs_linux = pytest.mark.skipif(not tells_users(), reason="only Linux tells who is at the other end")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can run something as another user")


def as_nobody(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", BECOME + script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={}).stdout.strip()


def asked_by_nobody(url: str) -> str:
    return as_nobody(ASK, url)


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[str, Path]]:
    """A cloud in a process of its own: its address, and the folder, open to all, with its state and key."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with cloud_process(folder) as process:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            assert httpx.get(f"{url}/_offline/health", trust_env=False, timeout=60).status_code == 200
            yield url, folder
            process.terminate()


def cloud_process(folder: Path) -> "subprocess.Popen[str]":
    launcher = (
        "import sys\nfrom serinus.offline.cloud import serve as serving\nbind = serving.bind\n"
        "def told(config):\n    listener = bind(config)\n"
        "    print(listener.getsockname()[1], flush=True)\n    return listener\n"
        "serving.bind = told\nfrom serinus.offline.__main__ import main\nsys.exit(main())\n"
    )
    arguments = ["--port", "0", "--state", str(folder / "state"), "--credentials", str(folder / "credentials")]
    command = [sys.executable, "-c", launcher, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@needs_root
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", "403"),
        ("/bucket/key", "403"),
        ("/moto-api/data.json", "403"),
        ("/_offline/clock", "403"),
        ("/_offline/console/overview", "403"),
        ("/_offline/sns/outbox", "403"),
        ("/_offline/lambda/workers", "403"),
        (f"/_offline/lambda/archives/{'0' * 64}", "403"),
        ("/_offline/health", "200"),
    ],
)
def test_another_user_is_refused(started: tuple[str, Path], path: str, status: str) -> None:
    assert asked_by_nobody(started[0] + path) == status


@needs_root
def test_another_user_reads_neither_key_nor_state(started: tuple[str, Path]) -> None:
    url, folder = started
    assert OwnApi(url, RootKey.read(folder / "credentials")).get("/clock").status_code == 200
    assert as_nobody(READ, str(folder)) == str(
        [path.name for path in folder.iterdir()]
    )  # the folder itself is open
    hidden = [folder / "credentials", folder / "state", folder / "state" / "manifest.json"]
    assert as_nobody(READ, *map(str, hidden)).split() == ["refused"] * 3


def test_what_the_cloud_writes_is_its_owners_alone(started: tuple[str, Path]) -> None:
    url, folder = started
    assert OwnApi(url, RootKey.read(folder / "credentials")).get("/clock").status_code == 200
    opened = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a draft that was just renamed
            if path.stat().st_mode & 0o077:
                opened.append(path)
    assert opened == []


@needs_root
@needs_linux
def test_another_user_takes_no_invocation(aws: Any, deploy_function: Any) -> None:
    name = deploy_function("import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_RUNTIME_API']")
    address = json.loads(aws("lambda").invoke(FunctionName=name)["Payload"].read())
    told = asked_by_nobody(f"http://{address}/2018-06-01/runtime/invocation/next")
    assert told in ("RemoteDisconnected", "ConnectionResetError"), told
    assert json.loads(aws("lambda").invoke(FunctionName=name)["Payload"].read()) == address


#: Connects in the way that is asked for, sends what would end an invocation, and leaves at once where told.
STEAL = """
family, port, how = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
host = "127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1"
error = b"POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}"
for _ in range(20):
    thief = socket.socket(family)
    thief.settimeout(3)
    try:
        thief.connect((host, port))
        thief.sendall(error)
        thief.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        if how == "wait":
            print(thief.recv(100))
    except OSError:
        pass
    thief.close()
"""


@needs_root
@needs_linux
@pytest.mark.parametrize("how", ["wait", "leave"])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_another_user_forges_no_answer(aws: Any, deploy_function: Any, family: int, how: str) -> None:
    code = "import os, time\ndef handler(event, context):\n    time.sleep(event)\n    return os.environ['{}']"
    name = deploy_function(code.format("AWS_LAMBDA_RUNTIME_API"))
    invoke = aws("lambda").invoke
    address = json.loads(invoke(FunctionName=name, Payload=b"0")["Payload"].read())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: invoke(FunctionName=name, Payload=b"2")["Payload"].read())
        told = as_nobody(STEAL, str(int(family)), address.rpartition(":")[2], how)
        assert "200" not in told
        assert json.loads(waiting.result()) == address
    assert json.loads(invoke(FunctionName=name, Payload=b"0")["Payload"].read()) == address


@needs_linux
def test_the_kernel_tells_who_is_at_the_other_end(cloud: Cloud) -> None:
    with socket.create_connection(("127.0.0.1", cloud.config.port)) as connection:
        peer, own = connection.getsockname(), connection.getpeername()
        assert user_at(peer, own) == os.getuid()
        assert user_at(("127.0.0.2", 1), own) is None


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "key"
    RootKey.new().write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(OfflineError, match="open to other users \\(mode 044\\)"):
        RootKey.read(path)


@needs_root
def test_a_key_of_another_user_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "key"
    RootKey.new().write(path)
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(OfflineError, match=f"belongs to another user \\(id {NOBODY}\\)"):
        RootKey.read(path)


@pytest.mark.parametrize("text", ["", "nonsense", "[default]\naws_access_key_id = A\n", "[other]\na = b\n", "\0"])
def test_a_file_without_a_key_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(OfflineError, match="has no access key"):
        RootKey.read(path)


def test_a_cloud_that_cannot_start_leaves_the_key_of_the_one_that_runs(cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "offline-cloud" / f"{cloud.config.port}.credentials"
    cloud.config.root_key.write(path)
    command = [sys.executable, "-m", "serinus.offline", "--port", str(cloud.config.port)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, "is taken" in done.stderr) == (1, True)
    assert RootKey.read(path) == cloud.config.root_key


@pytest.mark.parametrize(("end", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_key_without_a_place_is_kept_for_its_port_while_the_cloud_runs(
    tmp_path: Path, end: signal.Signals, status: int
) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "serinus.offline", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        path = Path(process.stderr.readline().split(" in ")[-1].strip())
        assert path.parent == tmp_path / "offline-cloud"
        url = f"http://127.0.0.1:{path.stem}"
        assert OwnApi(url, RootKey.read(path)).get("/clock", timeout_s=60).status_code == 200
        process.send_signal(end)
        process.communicate()
    assert (process.returncode, path.exists()) == (status, False)


@pytest.mark.parametrize(
    "more", ["region = eu-west-1\n", "[work]\naws_access_key_id = B\naws_secret_access_key = c\n"]
)
def test_a_persons_own_credentials_are_neither_used_nor_changed(tmp_path: Path, more: str) -> None:
    path = tmp_path / "credentials"
    path.touch(mode=0o600)
    text = f"[default]\naws_access_key_id = A\naws_secret_access_key = b\n{more}"
    path.write_text(text)
    command = [sys.executable, "-m", "serinus.offline", "--port", "0", "--credentials", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, "is not the file of an offline cloud" in done.stderr) == (1, True)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "99999"], "99999 is not a port number"),
        (["--speed", "nan"], "must be a finite number of at least 0"),
        (["--metric-delay", "-5"], "must be a finite number of at least 0"),
        (["--account", "abc"], "must be 12 digits"),
        (["--credentials", "/proc/none/key", "--port", "0"], "cannot be written"),
        (["--state", "/dev/null", "--port", "0"], "cannot be a state folder"),
    ],
)
def test_what_cannot_be_is_said_without_a_traceback(arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "serinus.offline", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_each_cloud_has_a_key_of_its_own() -> None:
    one, other = RootKey.new(), RootKey.new()
    assert one.access_key_id != other.access_key_id
    assert one.secret_access_key != other.secret_access_key
    assert (len(one.access_key_id), len(one.secret_access_key)) == (20, 40)
    assert one.secret_access_key not in repr(one)
