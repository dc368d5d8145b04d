"""Every command that acts on the offline cloud, in a shell that is set up for AWS behind a proxy.

A proxy and an AWS that note each connection stand for the world outside: they must be left alone.
"""

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "examples"))

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("hostile-shell")]

SERVICES = "S3 STS LAMBDA CLOUDFORMATION SSM ECR IAM CLOUDWATCH CLOUDWATCH_LOGS CODEDEPLOY API_GATEWAY EVENTBRIDGE"
ROLE = "arn:aws:iam::999999999999:role/prod"
CONFIG = """
[default]
region = eu-north-1
endpoint_url = {aws}
use_fips_endpoint = true
services = elsewhere
s3 =
    addressing_style = virtual

[profile prod]
region = eu-north-1
role_arn = arn:aws:iam::999999999999:role/prod
source_profile = default
endpoint_url = {aws}

[services elsewhere]
s3 =
    endpoint_url = {aws}
cloudformation =
    endpoint_url = {aws}
"""
CREDENTIALS = "[default]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n"


class Outside(socketserver.ThreadingTCPServer):
    """Notes the first line of each request, CONNECT included, and refuses it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusing)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Refusing(socketserver.StreamRequestHandler):
    server: Outside

    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline(1000).decode("latin-1").strip())
        while self.rfile.readline(1000).strip():
            """The rest of the head."""
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def outside() -> Iterator[tuple[Outside, Outside]]:
    """The proxy and the AWS."""
    with Outside() as proxy, Outside() as aws:
        for one in (proxy, aws):
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield proxy, aws
        proxy.shutdown()
        aws.shutdown()


def hostile(home: Path, proxy: str, aws: str) -> dict[str, str]:
    """The variables of such a shell, and its files below ``home``."""
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text(CONFIG.format(aws=aws))
    (home / ".aws" / "credentials").write_text(CREDENTIALS)
    (home / ".cdk.json").write_text(json.dumps({"proxy": proxy, "profile": "prod"}))
    proxies = {
        name: proxy for kind in ("http", "https", "all") for name in (f"{kind}_proxy", f"{kind}_PROXY".upper())
    }
    npm = {f"npm_config_{kind}": proxy for kind in ("proxy", "http_proxy", "https_proxy")}
    endpoints = {f"AWS_ENDPOINT_URL_{service}": aws for service in SERVICES.split()}
    return proxies | npm | endpoints | {
        "NO_PROXY": "intern.example",
        "npm_config_no_proxy": "intern.example",
        "HOME": str(home),
        "AMAZON_REGION": "eu-north-1",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_ACCOUNT_ID": "999999999999",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
        "AWS_CA_BUNDLE": "/missing/ca.pem",
        "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{aws}/credentials",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/credentials",
        "AWS_DEFAULT_PROFILE": "prod",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws,
        "AWS_ENDPOINT_URL": aws,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_PROFILE": "prod",
        "AWS_REGION": "eu-north-1",
        "AWS_ROLE_ARN": ROLE,
        "AWS_SDK_LOAD_CONFIG": "1",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/missing/token",
        "CDK_CONTEXT_JSON": '{"env": "prod"}',
        "CDK_DEFAULT_ACCOUNT": "999999999999",
        "CDK_DEFAULT_REGION": "eu-north-1",
        "CDK_NOTICES": "true",
        "CDK_OUTDIR": "/missing/out",
        "CDK_PROFILE": "prod",
        "CDK_PROXY": proxy,
        "CDK_ROLE_ARN": ROLE,
    }  # fmt: skip


class Shell:
    """Runs commands in a project's folder; each must succeed."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        ours = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            # What was resolved and built for other tests, wherever home is; but none of the CDK CLI's own files.
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            "CDK_HOME": str(folder.parent / "cdk"),
            "CI": "false",
        }
        self.environment = {**os.environ, **variables, **ours}

    def run(self, *command: str, input: str | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=400,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


#: In a shell that is pointed at the cloud: an SDK, curl, and one call to another machine, which needs the proxy.
POINTED = """
eval "$(cat)"
python -c 'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])'
curl --silent --fail --output /dev/null "$AWS_ENDPOINT_URL/_offline/health"
python -c 'import urllib.request; urllib.request.urlopen("http://index.example/simple")' 2>/dev/null || true
"""


def test_nothing_outside_is_called(outside: tuple[Outside, Outside], tmp_path: Path) -> None:
    from train import train

    proxy, aws = outside
    folder = tmp_path / "shop"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shell = Shell(folder, hostile(tmp_path / "home", proxy.url, aws.url))
    shell.run("serinus", "init")
    (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    train(folder / "training", trees=5)
    shell.run("serinus", "package", "training/model.joblib", "--name", "churn", "--sample", "training/sample.csv")
    try:
        shell.run("serinus", "local", "up", "--port", str(port))
        shell.run("serinus", "local", "status")
        shell.run("serinus", "deploy", "--local")
        for here in ([], ["--local"]):
            shell.run("serinus", "predict", "churn", "--data", "training/rows.json", *here)
        for look in (["status"], ["logs", "churn"], ["key", "churn", "--rotate"], ["rollout", "status", "churn"]):
            shell.run("serinus", *look, "--local")
        exports = shell.run("serinus", "local", "env")
        assert (proxy.asked, aws.asked) == ([], [])
        assert shell.run("bash", "-c", POINTED, input=exports).strip() == "123456789012"
        assert (proxy.asked, aws.asked) == (["GET http://index.example/simple HTTP/1.1"], [])
        shell.run("serinus", "destroy", "--local")
    finally:
        shell.run("serinus", "local", "down")
    assert (len(proxy.asked), aws.asked) == (1, [])
