"""Offline clouds of this project as processes: start, find and stop them, and the environment variables for one.

A cloud runs detached. In `.serinus/local`, which other users cannot read, `cloud-PORT.json` records where it runs,
`cloud-PORT.log` is its output, and `cloud-PORT.credentials` holds the key that its callers sign with.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from serinus.cli.errors import CliError
from serinus.infra.names import LOCAL_ENVIRONMENT, SETTINGS, VARIABLE_ENVIRONMENT
from serinus.offline.core.config import DEFAULT_ACCOUNT_ID, DEFAULT_REGION, STAY
from serinus.offline.core.errors import OfflineError
from serinus.offline.core.root_key import RootKey

if TYPE_CHECKING:
    from serinus.offline.client.own_api import OwnApi
from serinus.offline.client.shell import shielded

FOLDER = ".serinus/local"
#: Modules that the offline extra installs.
MODULES = ("moto", "uvicorn", "awslambdaric", "a2wsgi", "cfnlint", "aiohttp")
KEY_SUFFIX = ".credentials"
#: The URL of the offline cloud that a shell is set up for.
VARIABLE_LOCAL_URL = "SERINUS_LOCAL_URL"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
#: Open files by process of the clouds that end with this process.
_held_open: dict[int, int] = {}


@dataclass(frozen=True, slots=True)
class CloudIdentity:
    """The account and region of an offline cloud."""

    account_id: str = DEFAULT_ACCOUNT_ID
    region: str = DEFAULT_REGION


@dataclass(frozen=True, slots=True)
class RunningCloud:
    """A cloud that was started from this project."""

    pid: int
    port: int
    region: str
    account_id: str
    speed: float
    key: RootKey = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        """The URL of its console."""
        return page_of(self.port)

    @property
    def page_with_key(self) -> str:
        """The console's URL with the key that it needs; browsers do not send the part after #."""
        key, secret = self.key.access_key_id, self.key.secret_access_key
        return f"{self.page}#{urlencode({'key': key, 'secret': secret})}"

    def own_api(self) -> "OwnApi":
        """The cloud's own API: its clock, its faults."""
        from serinus.offline.client.own_api import OwnApi

        return OwnApi(self.url, self.key)

    def environment(self) -> dict[str, str]:
        """The variables with which the CDK CLI, boto3, the AWS CLI and curl use this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": self.account_id,
            "CDK_DEFAULT_REGION": self.region,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            VARIABLE_LOCAL_URL: self.url,
            VARIABLE_ENVIRONMENT: LOCAL_ENVIRONMENT,
        }

    def shell(self, variables: Mapping[str, str]) -> dict[str, str]:
        """``variables`` of a shell, set up for this cloud: their AWS settings are dropped, and their proxies serve
        other machines only."""
        return shielded(variables) | self.environment()


def page_of(port: int) -> str:
    """The console's URL of a cloud at ``port``."""
    return f"http://127.0.0.1:{port}/_offline/"


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """Random ``seed`` for alias weights and faults (None: a new one each time), cloud seconds until a metric
    appears, and ``readings`` by name, which override that delay."""

    seed: int | None = None
    metric_delay_s: float = 0.0
    readings: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        seed = [] if self.seed is None else ["--seed", str(self.seed)]
        readings = {"metric-delay": f"{self.metric_delay_s:g}"} | dict(self.readings)
        return [*seed, *(part for name, value in readings.items() for part in ("--reading", f"{name}={value}"))]


def start(
    project: Path,
    *,
    port: int,
    identity: CloudIdentity,
    speed: float,
    state: Path | None = None,
    simulation: SimulationOptions = SimulationOptions(),
    end_with_this: bool = False,
) -> RunningCloud:
    """Start a cloud and wait until it is ready; raises `CliError` with the end of its log if it does not start.
    With ``end_with_this`` it ends when this process does, even if that is killed."""
    require_extra()
    claim, key = claim_port(project, port)
    log_path = private_folder(project) / f"cloud-{port}.log"
    log_path.touch(mode=0o600)
    with (
        os.fdopen(claim, "rb"),
        log_path.open("wb") as log,
        _standard_input() as (stdin, held_open),
    ):
        process = subprocess.Popen(
            [
                *command(project, port=port, identity=identity, speed=speed, state=state),
                *simulation.arguments(),
                "--end-with-stdin",
            ],
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | temporary_files(project, port),
            # The cloud holds the claim on from here, until it ends.
            pass_fds=(claim,),
        )
    _held_open[process.pid] = held_open
    try:
        health = _wait_until_ready(process, port, log_path)
    except BaseException:
        _end(process.pid)
        _remove_records(project, port)
        raise
    cloud = RunningCloud(process.pid, port, identity.region, health["account_id"], speed, key)
    record(project, cloud)
    if not end_with_this:
        # Other commands find it from here on.
        keep(cloud)
    return cloud


def keep(cloud: RunningCloud) -> None:
    """Let ``cloud`` go on when this process, which started it, ends."""
    held_open = _held_open.pop(cloud.pid)
    os.write(held_open, STAY)
    os.close(held_open)


@contextlib.contextmanager
def _standard_input() -> Iterator[tuple[int, int]]:
    """What a cloud reads, and the other end of it, which this process holds open."""
    stdin, held_open = os.pipe()
    try:
        yield stdin, held_open
    except BaseException:
        os.close(held_open)
        raise
    finally:
        os.close(stdin)


def temporary_files(project: Path, port: int) -> dict[str, str]:
    """The variable that has a cloud at ``port`` write its temporary files where the next command finds them if it
    is killed; to be called by who holds the port's claim. Files that are there are deleted."""
    folder = project / FOLDER / f"cloud-{port}.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return {"TMPDIR": str(folder.resolve())}


def record(project: Path, cloud: RunningCloud) -> None:
    """Record where ``cloud`` runs, so that other commands find it."""
    folder = private_folder(project)
    temporary = folder / f".cloud-{cloud.port}.json"
    shown = {name: value for name, value in asdict(cloud).items() if name != "key"}
    shown["project"] = str(project.resolve())
    cloud.key.write(credentials_path(project, cloud.port))
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(shown))
    temporary.replace(folder / f"cloud-{cloud.port}.json")


def private_folder(project: Path) -> Path:
    """The folder of the clouds' records, which other users of the machine cannot read."""
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def credentials_path(project: Path, port: int) -> Path:
    """The file with the key of a cloud at ``port``."""
    return project / FOLDER / f"cloud-{port}{KEY_SUFFIX}"


def redirect_path(project: Path, port: int) -> Path:
    """The file that redirects a browser to the console of a cloud at ``port``, with its key."""
    return project / FOLDER / f"open-{port}.html"


def claim_port(project: Path, port: int) -> tuple[int, RootKey]:
    """The lock on ``port`` in this project, an open file that the cloud's process holds until it ends, and a new
    key in the file that the cloud reads. Raises `CliError` if a cloud runs or starts there."""
    if (running := find(project, port)) is not None:
        raise CliError(
            f"an offline cloud of this project is already running at {running.url} (pid {running.pid}). "
            "Stop it with `serinus local down`, or start another one with --port."
        )
    claim = os.open(private_folder(project) / f"cloud-{port}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(claim)
        raise CliError(
            f"another process of this project is starting, stopping or running an offline cloud at port {port}. "
            "Wait for it, stop it, or choose another port with --port."
        ) from error
    key = RootKey.new()
    try:
        key.write(credentials_path(project, port))
    except OfflineError as error:
        os.close(claim)
        raise CliError(str(error)) from error
    return claim, key


def command(project: Path, *, port: int, identity: CloudIdentity, speed: float, state: Path | None) -> list[str]:
    """The command line of a cloud in the foreground."""
    arguments = [sys.executable, "-P", "-m", "serinus.offline", "--port", str(port), "--speed", str(speed)]
    arguments += ["--account", identity.account_id, "--region", identity.region]
    arguments += ["--credentials", str(credentials_path(project, port))]
    return arguments if state is None else [*arguments, "--state", str(state)]


def find(project: Path, port: int | None = None) -> RunningCloud | None:
    """The running cloud of this project, on ``port`` or on any; records of ended ones are removed, and those that
    were copied with the folder are passed over."""
    for record in sorted((project / FOLDER).glob("cloud-*.json")):
        if not (credentials := record.with_suffix(KEY_SUFFIX)).exists():
            record.unlink(missing_ok=True)
            continue
        try:
            data = json.loads(record.read_text())
            if _is_copied(project, Path(data.pop("project", project))):
                continue
            cloud = RunningCloud(**data, key=RootKey.read(credentials))
        except (ValueError, TypeError, AttributeError, RecursionError):
            record.unlink(missing_ok=True)
            continue
        except OfflineError as error:
            raise CliError(f"{error}. If others may have read it, restart the cloud.") from error
        if not _alive(cloud):
            record.unlink(missing_ok=True)
            _remove_records(project, cloud.port)
        elif port in (None, cloud.port):
            return cloud
    return None


def _is_copied(project: Path, recorded: Path) -> bool:
    """Whether ``project`` is a copy of the folder whose cloud was recorded; one that was moved keeps its cloud."""
    return recorded.exists() and not (project.exists() and recorded.samefile(project))


def require(project: Path, port: int | None = None) -> RunningCloud:
    """`find`, or a `CliError` that says how to start one."""
    cloud = find(project, port)
    if cloud is None:
        where = "" if port is None else f" on port {port}"
        raise CliError(f"no offline cloud of this project is running{where}. `serinus local up` starts one.")
    return cloud


def stop(project: Path, cloud: RunningCloud, patience_s: float = STOP_TIMEOUT_S) -> None:
    """Stop ``cloud`` and wait until its process has ended; it is killed after ``patience_s``."""
    _end(cloud.pid, patience_s)
    _remove_records(project, cloud.port)


def _remove_records(project: Path, port: int) -> None:
    """Remove the record and the key of a cloud that has ended, unless another process holds its port's lock."""
    folder = project / FOLDER
    if not folder.is_dir():
        return
    claim = os.open(folder / f"cloud-{port}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(claim, "rb"), contextlib.suppress(BlockingIOError):
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / f"cloud-{port}.json").unlink(missing_ok=True)
        credentials_path(project, port).unlink(missing_ok=True)
        redirect_path(project, port).unlink(missing_ok=True)
        shutil.rmtree(folder / f"cloud-{port}.tmp", ignore_errors=True)


def require_extra() -> None:
    """`CliError` when the packages of the offline cloud are not installed."""
    if any(find_spec(name) is None for name in MODULES):
        raise CliError("the offline cloud needs an extra that is not installed: pip install 'serinus[offline]'")


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log_path: Path) -> dict[str, str]:
    import httpx

    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            tail = log_path.read_text(errors="replace").strip().splitlines()[-1:]
            raise CliError(
                f"the offline cloud did not start: {' '.join(tail) or 'it printed nothing'} (log: {log_path})"
            )
        with contextlib.suppress(httpx.TransportError, ValueError):
            answer = httpx.get(f"http://127.0.0.1:{port}/_offline/health", timeout=2.0, trust_env=False)
            if answer.status_code == httpx.codes.OK and answer.json().get("pid", process.pid) == process.pid:
                health: dict[str, str] = answer.json()
                return health
        time.sleep(0.05)
    raise CliError(f"the offline cloud was not ready after {START_TIMEOUT_S:.0f} s (log: {log_path})")


def _alive(cloud: RunningCloud) -> bool:
    """Whether it responds, or is a cloud's process that is still starting or too busy to respond.

    A process of another user may listen at its port once it has ended.
    """
    import httpx

    try:
        os.kill(cloud.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        answer = httpx.get(f"{cloud.url}/_offline/health", timeout=5.0, trust_env=False)
    except httpx.TransportError:
        return _is_cloud(cloud.pid)
    return answer.status_code == httpx.codes.OK and answer.json().get("pid") == cloud.pid


def _is_cloud(pid: int) -> bool:
    """Whether process ``pid`` is a cloud: the number may have been reused."""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return " -m serinus.offline " in shown.stdout or " local up" in shown.stdout


def _end(pid: int, patience_s: float = STOP_TIMEOUT_S) -> None:
    """SIGTERM, then SIGKILL to the whole group if it has not ended in time."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
            time.sleep(0.02)
        os.killpg(pid, signal.SIGKILL)
    if (held_open := _held_open.pop(pid, None)) is not None:
        os.close(held_open)


def cloud_identity(project: Path, environment: str | None) -> CloudIdentity:
    """Account and region of ``environment`` in serinus.toml, or the defaults."""
    if environment is None:
        return CloudIdentity()
    from serinus.infra.settings import load_settings

    settings = load_settings(project / SETTINGS, environment)
    default = CloudIdentity()
    return CloudIdentity(settings.account or default.account_id, settings.region or default.region)
