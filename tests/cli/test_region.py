"""Commands ask AWS in the region that serinus.toml gives the environment, whatever the user's own default is."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of an AWS that knows no stack, and the credential scopes with which it was asked."""
    scopes: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            scopes.append(self.headers["Authorization"].split("Credential=")[1].split(",")[0])
            body = (
                b"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
                b"<Message>Stack with id shop-prod-churn does not exist</Message></Error></ErrorResponse>"
            )
            if self.headers.get("X-Amz-Target", "").startswith("Logs_"):
                body = b'{"logGroups": []}'
            self.send_response(200 if b"logGroups" in body else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", scopes
        server.shutdown()


@pytest.mark.parametrize(
    "command",
    [("rollout", "status"), ("rollout", "watch"), ("rollout", "stop"), ("rollback",), ("predict",), ("logs",)],
    ids=" ".join,
)
def test_the_environments_region_is_asked(
    asked: tuple[str, list[str]], tmp_path: Path, command: tuple[str, ...]
) -> None:
    url, scopes = asked
    (tmp_path / "serinus.toml").write_text(
        '[project]\nname = "shop"\n\n[endpoint.churn]\n\n'
        '[env.prod]\naccount = "111122223333"\nregion = "eu-central-1"\n'
    )
    (tmp_path / "rows.json").write_text("[{}]")
    given = ("--data", "rows.json") if command == ("predict",) else ()
    done = subprocess.run(
        [sys.executable, "-m", "serinus", *command, "churn", "--env", "prod", *given],
        cwd=tmp_path,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-west-2",
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "churn is not deployed to AWS" in done.stderr
    assert {scope.split("/")[2] for scope in scopes} == {"eu-central-1"}
