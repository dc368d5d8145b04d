"""One model behind every kind of front and access, deployed at once by the stock CDK CLI."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import joblib
import pandas as pd
import pytest

from serinus.cli import offline_process
from serinus.cli.dev_tokens import dev_token
from serinus.cli.endpoints import Endpoint, find_endpoint
from serinus.cli.request_auth import RequestAuth, auth_for
from serinus.cli.target import CloudTarget
from serinus.infra.settings import load_settings
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "examples"))

PAGE = "https://app.example"
#: Moto's state is the process', not a cloud's: where another test has bootstrapped, bootstrap's names are taken.
REGION = "ap-southeast-2"
DOMAIN = "tumours.example.com"
CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
MOST_OF_AN_ADDRESS = 12
#: Reserved: nobody answers there (RFC 6761).
ISSUER = "https://login.invalid/pool"
SETTINGS = f"""
[project]
name = "shop"

[defaults]
model = "tumour"
memory_mb = 512
cors_origins = ["{PAGE}"]

[endpoint.http-iam]
front = "http"
auth = "iam"

[endpoint.http-jwt]
front = "http"
auth = "jwt"
jwt = {{ issuer = "{ISSUER}", audience = ["serving"], scopes = ["predict", "admin"] }}

[endpoint.http-public]
front = "http"
auth = "public"
rate_limit_per_s = 2
burst_limit = 4

[endpoint.rest-iam]
auth = "iam"

[endpoint.rest-public]
auth = "public"

[endpoint.rest-guarded]
waf = {{ ip_rate_limit = {MOST_OF_AN_ADDRESS} }}
domain = {{ name = "{DOMAIN}", certificate_arn = "{CERTIFICATE}" }}
"""


class Shop:
    """The project and what it deployed."""

    def __init__(self, folder: Path, target: CloudTarget) -> None:
        self.folder, self.target = folder, target
        assert target.cloud is not None
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**target.cloud.shell(os.environ), "PATH": path}
        self.environment.pop("SERINUS_TOKEN", None)
        self.endpoints: dict[str, Endpoint] = {}

    def run(
        self, *command: str, folder: Path | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=folder or self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=400,
        )

    def must(self, *command: str, folder: Path | None = None) -> str:
        done = self.run(*command, folder=folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def serinus(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return self.run(sys.executable, "-m", "serinus", *arguments, **variables)

    def rows(self) -> list[dict[str, float]]:
        found: list[dict[str, float]] = json.loads((self.folder / "training" / "rows.json").read_text())
        return found

    def source_probabilities(self) -> list[Any]:
        model = joblib.load(self.folder / "training" / "model.joblib")
        return [pytest.approx(row, abs=1e-4) for row in model.predict_proba(pd.DataFrame(self.rows())).tolist()]

    def token(self) -> str:
        assert self.target.cloud is not None
        settings = load_settings(self.folder / "serinus.toml", "local")
        chosen = next(one for one in settings.endpoints if one.name == "http-jwt")
        return dev_token(self.target.cloud, chosen)

    def caller(self, name: str) -> RequestAuth:
        endpoint = self.endpoints[name]
        return auth_for(endpoint, self.target, self.token() if endpoint.auth == "jwt" else None)

    def post(
        self, name: str, body: bytes, caller: RequestAuth | None = None, *, patient: bool = True, **headers: str
    ) -> httpx.Response:
        """POST to /predict, as ``caller``, or as who may call; again while it is throttled, if ``patient``."""
        url = f"{self.endpoints[name].url}/predict"
        shown = (caller or self.caller(name)).headers(url, body)
        more = {header.replace("_", "-"): value for header, value in headers.items()}
        deadline = time.monotonic() + 60
        while True:
            answer = httpx.post(url, content=body, headers={**shown, **more}, trust_env=False, timeout=60)
            throttled = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
            if not patient or not throttled or time.monotonic() >= deadline:
                return answer
            time.sleep(0.2)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    from train import train

    folder = tmp_path_factory.mktemp("access")
    train(folder / "training", trees=5)
    with running(CloudConfig(port=0, region=REGION)) as cloud:
        config = cloud.config
        # As `serinus local up` would note it, but for a cloud in this process.
        record = offline_process.RunningCloud(
            os.getpid(), config.port, config.region, config.account_id, 1.0, config.root_key
        )
        offline_process.record(folder, record)
        made = Shop(folder, CloudTarget(record))
        made.must(sys.executable, "-m", "serinus", "init")
        (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
        given = ["training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv"]
        made.must(sys.executable, "-m", "serinus", "package", *given)
        (folder / "serinus.toml").write_text(SETTINGS)
        cdk = str(folder / "node_modules/.bin/cdk")
        made.must(cdk, "bootstrap", f"aws://123456789012/{REGION}", folder=folder / ".serinus")
        # Fewer at once than half the cloud's workers: each stack's first check of its release asks its function.
        made.must(
            cdk,
            "deploy",
            "--all",
            "--concurrency",
            "4",
            "-c",
            "env=local",
            "--require-approval",
            "never",
            "--method",
            "direct",
        )
        settings = load_settings(folder / "serinus.toml", "local")
        for one in settings.endpoints:
            made.endpoints[one.name] = find_endpoint(folder, "local", one.name, made.target)
        yield made
