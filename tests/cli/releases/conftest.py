"""A project that is released by the stock CDK CLI into a stepped cloud: time passes with requests, so that what a
busy machine takes for them, for hooks and for judges is never held against a release."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from serinus.cli import offline_process
from serinus.cli.endpoints import Endpoint, find_endpoint
from serinus.cli.release_reader import AliasDeployment, AliasState, RolloutReader
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.core.config import CloudConfig

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "examples"))

MODEL = "tumour"
STEP_S = 10.0
#: Moto's state is the process', not a cloud's: each cloud has its own region, where bootstrap's names are free.
REGIONS = iter(("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1", "ca-central-1"))
#: Real seconds after which a deploy counts as stuck, on however busy a machine.
PATIENCE_S = 400.0


class Shop:
    """The project, its cloud, and the clients that use what it deploys."""

    def __init__(self, folder: Path, cloud: SteppedCloud) -> None:
        self.folder, self.cloud = folder, cloud
        config = cloud.cloud.config
        # As `serinus local up` would note it, but for a cloud in this process.
        record = offline_process.RunningCloud(
            os.getpid(), config.port, config.region, config.account_id, 0.0, config.root_key
        )
        offline_process.record(folder, record)
        self.target = CloudTarget(record)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**record.shell(os.environ), "PATH": path}
        self._rows = json.loads((folder / "training" / "rows.json").read_text())
        self.http = httpx.Client(trust_env=False, timeout=60)
        self._endpoints: dict[str, Endpoint] = {}
        #: The bundle that is packaged first.
        self.version = ""

    def configure(self, endpoints: Mapping[str, str], *, revision: int = 1) -> None:
        """Write serinus.toml: tables of endpoints; each ``revision`` makes a version of its own."""
        tables = [
            f'[endpoint.{name}]\nmodel = "{MODEL}"\nvariables = {{ REVISION = "{revision}" }}\n'
            f"rate_limit_per_s = 10000\nburst_limit = 5000\n{table}\n"
            for name, table in endpoints.items()
        ]
        (self.folder / "serinus.toml").write_text('[project]\nname = "shop"\n\n' + "\n".join(tables))

    def package(self, training: str) -> str:
        """Package the model in folder ``training``; returns its version."""
        given = [f"{training}/model.joblib", "--name", MODEL, "--sample", f"{training}/sample.csv"]
        version: str = json.loads(self.run("serinus", "package", *given, "--json").stdout)["version"]
        return version

    def run(self, *command: str, ok: bool = True) -> "subprocess.CompletedProcess[str]":
        """A command while time stands."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert (done.returncode == 0) is ok, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    @contextmanager
    def deploying(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """The CDK CLI deploying all stacks at once, in a process group of its own."""
        command = ["node_modules/.bin/cdk", "deploy", "--all", "--concurrency", "4", "-c", "env=local"]
        with (self.folder / "cdk.log").open("w") as log:
            process = subprocess.Popen(
                [*command, "--require-approval", "never", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def deploy(
        self, *arguments: str, requests: int = 0, endpoints: Sequence[str] = ()
    ) -> Counter[tuple[str, ...]]:
        """Deploy while ``requests`` go to each of ``endpoints`` every `STEP_S`; what came back, counted by
        (endpoint, status, version). Ends when all stacks have settled, well or not."""
        met: Counter[tuple[str, ...]] = Counter()
        with self.deploying(*arguments) as process:
            self.pass_until(lambda: process.poll() is not None, met, requests=requests, endpoints=endpoints)
        self.pass_until(self.settled, met, requests=requests, endpoints=endpoints)
        return met

    def pass_until(
        self,
        happened: Callable[[], bool],
        met: Counter[tuple[str, ...]] | None = None,
        *,
        requests: int = 0,
        endpoints: Sequence[str] = (),
    ) -> None:
        """Let cloud time pass, with traffic, while CodeDeploy is at work, and wait otherwise, until something has
        happened."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline, (self.folder / "cdk.log").read_text()[-4000:]
            if self.shifting():
                self.step(met, requests=requests, endpoints=endpoints)
            else:
                time.sleep(0.1)

    def stand_until(self, happened: Callable[[], bool]) -> None:
        """Wait, while cloud time all but stands, until something has happened that takes real time alone."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline, (self.folder / "cdk.log").read_text()[-4000:]
            self.cloud.advance(0.01)
            time.sleep(0.1)

    def step(
        self, met: Counter[tuple[str, ...]] | None = None, *, requests: int = 0, endpoints: Sequence[str] = ()
    ) -> None:
        """`STEP_S` of cloud time with their requests, and as long as functions take to come to rest."""
        for name in endpoints:
            for _ in range(requests):
                answer = self.ask(name)
                if met is not None:
                    version = answer.headers.get("x-serinus-function-version", "")
                    met[name, str(answer.status_code), version] += 1
        self.cloud.advance(STEP_S)
        functions: Any = self.cloud.cloud.services.lambda_
        deadline = time.monotonic() + 60
        while functions.concurrency.unreserved_in_flight(self.cloud.cloud.config.region):
            assert time.monotonic() < deadline, "a function does not come to rest"
            time.sleep(0.01)

    def shifting(self) -> bool:
        """Whether CodeDeploy is at work."""
        under_way = ["Created", "Queued", "InProgress"]
        found = self.target.client("codedeploy").list_deployments(includeOnlyStatuses=under_way)
        return bool(found["deployments"])

    def ask(self, name: str) -> httpx.Response:
        endpoint = self.endpoint(name)
        return self.http.post(
            f"{endpoint.url}/predict", json={"rows": self._rows[:1]}, headers={"x-api-key": endpoint.key or ""}
        )

    def endpoint(self, name: str) -> Endpoint:
        if name not in self._endpoints:
            self._endpoints[name] = self.endpoint_now(name)
        return self._endpoints[name]

    def endpoint_now(self, name: str) -> Endpoint:
        """As its stack's outputs say at this moment."""
        return find_endpoint(self.folder, "local", name, self.target)

    def alias(self, name: str) -> AliasState:
        return self.reader(name).alias()

    def releases(self, name: str) -> list[AliasDeployment]:
        """CodeDeploy's deployments, newest first, rollbacks left out."""
        return [one for one in self.reader(name).deployments() if one.undoes is None]

    def reader(self, name: str) -> RolloutReader:
        return RolloutReader(self.target, f"shop-local-{name}")

    def statuses(self) -> dict[str, str]:
        """The stacks' statuses by endpoint."""
        found = self.target.client("cloudformation").describe_stacks()["Stacks"]
        prefix = "shop-local-"
        return {
            one["StackName"].removeprefix(prefix): one["StackStatus"]
            for one in found
            if one["StackName"].startswith(prefix)
        }

    def settled(self) -> bool:
        return not any(status.endswith("IN_PROGRESS") for status in self.statuses().values())

    def order_fault(self, name: str, version: str, **fault: Any) -> None:
        """A fault of the endpoint's ``version`` from now on; none ends it."""
        order = {"function": f"shop-local-{name}", "version": version, **fault}
        self.cloud.cloud.own_api().put("/faults", order, timeout_s=30).raise_for_status()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a trained model and the CDK CLI."""
    from train import train

    folder = tmp_path_factory.mktemp("shop")
    train(folder / "training", trees=5)
    subprocess.run([sys.executable, "-m", "serinus", "init"], cwd=folder, check=True, capture_output=True)
    (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    return folder


@pytest.fixture(scope="module")
def shop(project: Path) -> Iterator[Shop]:
    """The project with one packaged model and nothing deployed, on a cloud that is bootstrapped."""
    folder = project
    with stepped(CloudConfig(region=next(REGIONS), seed=7)) as cloud:
        made = Shop(folder, cloud)
        made.version = made.package("training")
        bootstrap, place = folder / ".serinus", cloud.cloud.config
        subprocess.run(
            [str(folder / "node_modules/.bin/cdk"), "bootstrap", f"aws://{place.account_id}/{place.region}"],
            cwd=bootstrap,
            env=made.environment,
            check=True,
            capture_output=True,
        )
        with made.http:
            yield made
