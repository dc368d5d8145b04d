"""The process that runs a test session's offline cloud and deploys endpoints into it.

    python -m serinus.testing.host START FOLDER ENVIRONMENT

START is where the project is searched, FOLDER is the cloud's, ENVIRONMENT may be empty. It writes one line of JSON
when the cloud is ready, and one for each line of standard input: `{"id": 1, "deploy": NAME}`, or
`{"id": 2, "rehearse": OPTIONS, "folder": FOLDER}`. It ends with its input, and all that it started with it.

Code of a test may replace functions of libraries, the clock or the environment's variables; here all is as it is.
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from serinus.cli import cdk, offline_process
from serinus.cli.dev_tokens import dev_token
from serinus.cli.endpoints import find_endpoint
from serinus.cli.errors import CliError, ToolFailed
from serinus.cli.offline_process import RunningCloud, cloud_identity
from serinus.cli.project import find_project
from serinus.cli.refusals import refusals
from serinus.cli.rehearse.assemblies import command
from serinus.cli.rehearse.background import BackgroundProcess
from serinus.cli.rehearse.environment import RehearsalEnvironment, free_port
from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.run import deploy_stable
from serinus.cli.rehearse.workspace import create_workspace
from serinus.cli.target import CloudTarget
from serinus.cli.termination import ended_in_order
from serinus.infra.names import LOCAL_ENVIRONMENT, SETTINGS
from serinus.infra.settings import load_settings
from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.offline.client.shell import shielded
from serinus.testing.cloud import END_PATIENCE_S, REHEARSE_LOG, RESULT

#: Requests per second that tests may send: an API key's limits are raised to twice as many.
REQUESTS_PER_S = 500.0
#: A port that was free may be taken until the cloud listens there, as by the tests of another worker.
_STARTS = 3
_STOP_PATIENCE_S = 2.0
_SHOWN_LINES = 15


class NothingToTest(CliError):
    """The project has no endpoint yet."""


def main() -> None:
    start, folder, environment = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    # Programs that are started from here write to standard output; the answers have a descriptor of their own.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers, ended_in_order(), ExitStack() as ended_with_it:
        os.dup2(2, 1)
        orders = _orders(sys.stdin)
        try:
            _serve(start, folder, environment, orders, answers, ended_with_it)
        except refusals() as error:
            _answer(answers, _described(error) | {"id": 0})
        except OSError as error:
            _answer(answers, {"id": 0, "error": f"the offline cloud cannot run in {folder}: {error}"})


def _serve(
    start: Path,
    folder: Path,
    environment: str,
    orders: "queue.SimpleQueue[dict[str, Any]]",
    answers: IO[str],
    ended_with_it: ExitStack,
) -> None:
    project = find_project(start)
    settings = load_settings(project / SETTINGS, environment or LOCAL_ENVIRONMENT)
    if not settings.endpoints:
        raise NothingToTest(
            f"{project / SETTINGS} has no endpoint yet: `serinus package MODEL --name NAME --sample SAMPLE.csv` "
            "adds one"
        )
    cloud = _start(project, folder, environment)
    ended_with_it.callback(offline_process.stop, folder, cloud, _STOP_PATIENCE_S)
    described = asdict(cloud) | {"key": asdict(cloud.key)}
    names = [endpoint.name for endpoint in settings.endpoints]
    started = {"project": str(project), "environment": environment or None, "endpoints": names, "cloud": described}
    _answer(answers, started | {"id": 0})
    while True:
        order = orders.get()
        try:
            if "rehearse" in order:
                answer = _rehearse(project, order["rehearse"], Path(order["folder"]))
            else:
                answer = _deploy(project, settings.environment, order["deploy"], cloud, ended_with_it)
        except refusals() as error:
            answer = _described(error)
        except OSError as error:
            answer = {"error": f"the endpoint cannot be deployed or released: {error}"}
        _answer(answers, answer | {"id": order["id"]})


def _start(project: Path, folder: Path, environment: str) -> RunningCloud:
    identity = cloud_identity(project, environment or None)
    for left in reversed(range(_STARTS)):
        try:
            return offline_process.start(folder, port=free_port(), identity=identity, speed=1, end_with_this=True)
        except CliError as error:
            if left == 0 or "in use" not in str(error):
                raise
    raise AssertionError("the last start returned or raised")


def _deploy(
    project: Path, environment: str, name: str, cloud: RunningCloud, ended_with_it: ExitStack
) -> dict[str, Any]:
    """Deploy endpoint ``name`` from a copy of the project, which lasts until ``ended_with_it`` ends."""
    if shutil.which("node") is None:
        raise CliError(
            "Node was not found; the CDK CLI needs Node 20 or later. `serinus doctor` says how to get it."
        )
    copying = create_workspace(project, environment, name, candidates={}, rate=REQUESTS_PER_S)
    workspace = ended_with_it.enter_context(copying)
    # The bootstrap runs here, where there is no cdk.json.
    offline_process.private_folder(workspace.folder)
    making = command(environment, [workspace.stable.project])
    log = workspace.folder / "assemblies.log"
    assembling = BackgroundProcess(making, workspace.folder, shielded(os.environ), log)
    ended_with_it.callback(assembling.end)
    target = CloudTarget(cloud)
    try:
        with LiveView() as view:
            deploy_stable(RehearsalEnvironment(workspace, cloud, target, assembling), view)
    except ToolFailed as error:  # its log, which it names, is deleted with the copy
        output = cdk.last_lines(workspace.folder / "bootstrap.log", _SHOWN_LINES)
        raise CliError(f"the CDK CLI could not prepare the offline cloud:\n{output}") from error
    endpoint = find_endpoint(workspace.stable.project, environment, name, target)
    return {
        "endpoint": endpoint.to_json(),
        "model": workspace.stable.manifest.name,
        "version": workspace.stable.manifest.short_version,
        "features": list(workspace.stable.manifest.signature.feature_names()),
        "rows": list(read_golden(workspace.stable.bundle).rows),
        "token": dev_token(cloud, workspace.endpoint) if endpoint.auth == "jwt" else None,
    }


def _rehearse(project: Path, options: list[str], folder: Path) -> dict[str, Any]:
    """Run `serinus rehearse` with ``options``; its output is in ``folder``: result.json and rehearse.log."""
    command = [sys.executable, "-P", "-m", "serinus", "rehearse", *options]
    with (folder / RESULT).open("wb") as result, (folder / REHEARSE_LOG).open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=result,
            stderr=log,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
        try:
            return {"exit_code": process.wait()}
        except BaseException:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_PATIENCE_S)
            raise


def _orders(lines: IO[str]) -> "queue.SimpleQueue[dict[str, Any]]":
    """The lines of the input as they come; its end ends this process, whatever it is doing."""
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    main_thread = threading.get_ident()

    def read() -> None:
        for line in lines:
            orders.put(json.loads(line))
        signal.pthread_kill(main_thread, signal.SIGTERM)

    threading.Thread(target=read, name="orders", daemon=True).start()
    return orders


def _described(error: Exception) -> dict[str, str]:
    return {"skip" if isinstance(error, NothingToTest) else "error": str(error)}


def _answer(answers: IO[str], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
