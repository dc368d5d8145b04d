"""Where a command acts: nothing goes to AWS because of a variable that happens to be set."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore.exceptions
import click
import pytest
import typer.main
from typer.testing import CliRunner

from serinus.cli import offline_process
from serinus.cli.context import cli_flags
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.main import app
from serinus.cli.prediction.sending import EndpointClient
from serinus.cli.request_auth import NoAuth
from serinus.cli.target import CloudTarget, local_hint, select_prediction_target, select_target
from serinus.offline.core.root_key import RootKey

SETTINGS = """
[project]
name = "shop"

[endpoint.churn]

[env.prod]
account = "111122223333"
region = "eu-central-1"
"""
#: Each makes an SDK find credentials, or says who it is.
SHELLS = [
    {"AWS_PROFILE": "work"},
    {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real"},
    {
        "AWS_PROFILE": "work",
        "AWS_DEFAULT_PROFILE": "work",
        "AWS_REGION": "eu-north-1",
        "AWS_SESSION_TOKEN": "real",
    },
]


class Recorder(ThreadingHTTPServer):
    """Notes each request; answers as a cloud that is ready, and as an AWS that knows no stack."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    server: Recorder

    def do_GET(self) -> None:
        self._answer(200, json.dumps({"status": "ready", "pid": os.getpid(), "epoch_s": 0}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        error = b"<Error><Code>ValidationError</Code><Message>Stack does not exist</Message></Error>"
        self._answer(400, b"<ErrorResponse>" + error + b"</ErrorResponse>")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, in a shell that says nothing about AWS."""
    for name in [
        name for name in os.environ if name.startswith("AWS_") or name == offline_process.VARIABLE_LOCAL_URL
    ]:
        monkeypatch.delenv(name)
    (tmp_path / "serinus.toml").write_text(SETTINGS)
    (tmp_path / "rows.json").write_text("[{}]")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def running(shop: Path, recorder: Recorder) -> str:
    """The address of a cloud of the project."""
    where = (recorder.server_port, "us-east-1", "123456789012")
    offline_process.record(shop, offline_process.RunningCloud(os.getpid(), *where, 1.0, RootKey.new()))
    return recorder.url


def commands_with_a_choice() -> Iterator[tuple[str, ...]]:
    """Every command that takes --local and --env, by its words and the least that it must be given."""
    yield from _walk((), typer.main.get_command(app))


def _walk(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, ...]]:
    for name, sub in getattr(command, "commands", {}).items():
        yield from _walk((*path, name), sub)
    if {"local", "env"} <= {parameter.name for parameter in command.params}:
        names = {parameter.name for parameter in command.params}
        rows = ("--data", "rows.json") if "data" in names else ()
        live = ("--against", "live") if "against" in names else ()
        yield (*path, "churn", *rows, *live)


COMMANDS = list(commands_with_a_choice())


def test_the_commands_are_those_that_exist() -> None:
    known = {"deploy", "destroy", "predict", "status", "logs", "key", "monitor", "rehearse", "rollback", "rollout"}
    assert {command[0] for command in COMMANDS} == known


@pytest.mark.parametrize("shell", [{}, *SHELLS])
def test_rows_go_to_the_cloud_that_runs_here_whatever_the_shell_says(
    shop: Path, running: str, monkeypatch: pytest.MonkeyPatch, shell: dict[str, str]
) -> None:
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    target = select_prediction_target(shop, None, local=False, port=None)
    assert target.cloud is not None
    assert target.cloud.url == running


@pytest.mark.parametrize("shell", [{}, *SHELLS])
def test_rows_go_nowhere_where_no_cloud_runs_and_no_environment_is_named(
    shop: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, shell: dict[str, str]
) -> None:
    for name, value in {**shell, "AWS_ENDPOINT_URL": recorder.url}.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["predict", "churn", "--data", "rows.json"])
    assert isinstance(done.exception, CliError)
    assert not isinstance(done.exception, WrongUsage)
    for step in ("`serinus local up`", "`serinus deploy --local`", "`--env dev`"):
        assert step in str(done.exception)
    assert recorder.asked == []


def test_rows_go_to_aws_where_an_environment_is_named(shop: Path, running: str) -> None:
    assert select_prediction_target(shop, "prod", local=False, port=None).cloud is None
    local = select_prediction_target(shop, "prod", local=True, port=None).cloud
    assert local is not None
    assert local.url == running


def test_rows_go_to_the_cloud_that_is_named_by_its_port_or_environment(shop: Path, running: str) -> None:
    port = int(running.rpartition(":")[2])
    for wanted, named in ((None, port), ("local", None), ("prod", port)):
        target = select_prediction_target(shop, wanted, local=False, port=named)
        assert target.cloud is not None
    with pytest.raises(CliError, match="no offline cloud of this project is running on port 1"):
        select_prediction_target(shop, None, local=False, port=1)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("given", [("--port", "4577"), ("--env", "local"), ()], ids=" ".join)
def test_what_names_an_offline_cloud_never_leads_to_aws(
    shop: Path,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    given: tuple[str, ...],
) -> None:
    """Its port, its environment, or a shell that is pointed at it, without --local."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", recorder.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    if not given:
        monkeypatch.setenv(offline_process.VARIABLE_LOCAL_URL, recorder.url)
        given = ("--env", "prod")
    done = CliRunner().invoke(app, [*command, *given])
    assert recorder.asked == []
    said = f"{done.exception} {done.output}"
    assert "--local" in said or "no offline cloud of this project is running" in said, said
    assert done.exit_code != 0
    assert not (shop / "node_modules").exists()


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one[0] not in ("status", "deploy", "destroy")], ids=" ".join
)
def test_a_command_on_aws_says_so_before_it_asks(
    shop: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", recorder.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    done = CliRunner().invoke(app, [*command, "--env", "prod"])
    where = (
        f"on AWS at {recorder.url} (AWS_ENDPOINT_URL): environment prod, account 111122223333, region eu-central-1"
    )
    assert where in " ".join(done.stderr.split())
    assert recorder.asked


@pytest.mark.usefixtures("shop")
def test_an_endpoint_on_aws_is_reached_through_the_proxy_and_a_cloud_here_is_not(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, recorder.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CliError, match="answered 400"):
        EndpointClient("http://api.example", NoAuth(), use_proxy=True).predict([{}])
    assert recorder.asked == ["http://api.example/predict"]
    with pytest.raises(CliError, match="did not answer"):
        EndpointClient("http://127.0.0.1:9", NoAuth()).predict([{}])
    assert len(recorder.asked) == 1


def test_the_doctor_tells_of_a_profile_that_does_not_exist(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shop))
    monkeypatch.setenv("AWS_PROFILE", "missing")
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    said = next(one for one in json.loads(done.stdout) if one["what"].startswith("AWS credentials"))
    assert said["state"] == "optional"
    assert "missing" in said["found"]


@pytest.mark.usefixtures("shop")
def test_other_commands_are_told_where_they_act() -> None:
    assert cli_flags("local", local=True) == " --local"
    assert cli_flags("prod", local=True) == " --local --env prod"
    assert cli_flags("prod", local=False) == " --env prod"
    assert select_target(Path(), "prod", local=False, port=None).name == "AWS"


def _error(code: str) -> botocore.exceptions.ClientError:
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": ""}}, "DescribeStacks")


@pytest.mark.parametrize("error", [None, botocore.exceptions.NoCredentialsError(), _error("ExpiredToken")])
def test_credential_errors_mention_local_only_while_a_cloud_of_the_project_runs(
    shop: Path, recorder: Recorder, error: Exception | None, request: pytest.FixtureRequest
) -> None:
    assert local_hint(error) == ""
    url = request.getfixturevalue("running")
    assert local_hint(error) == f" The offline cloud at {url} is running: add --local to use it."
    assert local_hint(_error("ValidationError")) == ""


def test_a_domain_of_an_offline_cloud_is_never_called_on_the_internet() -> None:
    here = offline_process.RunningCloud(4577, 1, "us-east-1", "123456789012", 1.0, RootKey.new())

    assert CloudTarget(None).url("https://churn.example.com") == "https://churn.example.com"
    with pytest.raises(CliError, match="keep_default_host = true"):
        CloudTarget(here).url("https://churn.example.com")


def test_only_a_cloud_whose_time_runs_faster_has_a_note_on_it() -> None:
    def note(speed: float) -> str:
        cloud = offline_process.RunningCloud(1, 2, "us-east-1", "123456789012", speed, RootKey.new())
        return CloudTarget(cloud).clock_note

    assert note(60.0) == "cloud time, which runs 60 times as fast as real time"
    assert (note(1.0), CloudTarget(None).clock_note) == ("", "")
