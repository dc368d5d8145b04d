"""The offline cloud: requests through gateway and function, weights, killed workers, memory, start, a stack."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.load import Load, load
from lab.offline_cloud import ROLE_TRUST, BenchCloud, rest_api, zip_of
from lab.offline_stack import stack_of_100
from table import Row, main, median

REQUESTS = 3_000
ROUNDS = 3
ROLLOUTS = 50
WEIGHT = 0.1
LIMIT_S = 60.0
STARTS = 5
PEER = ("serverless@3.40.0", "serverless-offline@13.10.1")
NOTE = (
    "Loopback, the load generator on the same cores. Each round asks the offline cloud and serverless-offline "
    f"({', '.join(PEER)}, Python function) in turn; medians of {ROUNDS} rounds of {REQUESTS:,} requests (a tenth "
    "for the peer). `failed` are answers other than 200, `lost` requests without any, `mixed_up` requests that "
    "got the answer to another one. Memory is PSS of all processes. `z` is the distance of a share from its "
    "weight in standard errors."
)
ANSWERING = """
import os, time

def handler(event, context):
    if event.get("pause_s"):
        time.sleep(event["pause_s"])
    query = event.get("queryStringParameters") or {}
    return {"statusCode": 200, "body": query.get("n") or os.environ["AWS_LAMBDA_FUNCTION_VERSION"]}
"""


def measure() -> Sequence[Row]:
    """All rows, in the order in which they are measured."""
    rows: list[Row] = [start_time(), *memory()]
    with tempfile.TemporaryDirectory() as folder, BenchCloud("--speed", "60") as cloud:
        url = prepare(cloud)
        with peer(Path(folder)) as peer_url:
            rows += throughput(url, peer_url)
        rows.append(weighted_alias(cloud, url))
        rows.append(rollouts(cloud, url))
        rows += stack(cloud)
        workers = cloud.worker_pids()
    left = [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    rows.append({"name": "workers left after the cloud stopped", "count": len(left)})
    return rows


def start_time() -> Row:
    """From the command to the first answer."""
    took = []
    for _ in range(STARTS):
        begun = time.perf_counter()
        with BenchCloud():
            took.append(time.perf_counter() - begun)
    return {"name": "start", "seconds": median(took)}


def prepare(cloud: BenchCloud) -> str:
    """A function of two versions behind a REST API; returns the URL."""
    role = cloud.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=ROLE_TRUST)["Role"]["Arn"]
    logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    cloud.client("iam").attach_role_policy(RoleName="bench", PolicyArn=logs)
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="bench",
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Timeout=30,
        Code={"ZipFile": zip_of({"app.py": ANSWERING})},
        Publish=True,
    )
    cloud.wait(lambda: functions.get_function_configuration(FunctionName="bench")["State"] == "Active")
    functions.update_function_code(
        FunctionName="bench", ZipFile=zip_of({"app.py": ANSWERING + "# 2\n"}), Publish=True
    )
    functions.create_alias(FunctionName="bench", Name="live", FunctionVersion="1")
    return rest_api(cloud, "bench", "live")


@contextmanager
def peer(folder: Path) -> Iterator[str | None]:
    """serverless-offline with a Python function; None where npm cannot install it."""
    if shutil.which("npm") is None:
        sys.stderr.write("npm is not there: serverless-offline is left out\n")
        yield None
        return
    ports = [free_port(), free_port()]
    (folder / "package.json").write_text('{"private": true}')
    (folder / "app.py").write_text(ANSWERING.replace('os.environ["AWS_LAMBDA_FUNCTION_VERSION"]', '""'))
    (folder / "serverless.yml").write_text(json.dumps(peer_settings(*ports)))
    sys.stderr.write(f"installing {' and '.join(PEER)}\n")
    install = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *PEER]
    subprocess.run(install, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=900)
    environment = {**os.environ, "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off"}
    environment |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(folder / "node_modules/.bin/serverless"), "offline", "start"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{ports[0]}/hello"
        wait_for(url)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def peer_settings(http_port: int, lambda_port: int) -> dict[str, Any]:
    """YAML is a superset of JSON, so this is a serverless.yml too."""
    return {
        "service": "peer",
        "frameworkVersion": "3",
        "provider": {"name": "aws", "runtime": f"python3.{sys.version_info.minor}", "region": "us-east-1"},
        "plugins": ["serverless-offline"],
        "custom": {
            "serverless-offline": {
                "host": "127.0.0.1",
                "httpPort": http_port,
                "lambdaPort": lambda_port,
                "noPrependStageInUrl": True,
            }
        },
        "functions": {
            "hello": {"handler": "app.handler", "events": [{"http": {"path": "hello", "method": "get"}}]}
        },
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    """Return when ``url`` answers 200."""
    deadline = time.monotonic() + 120
    while load(url, clients=1, requests=1, limit_s=10).failed:
        if time.monotonic() > deadline:
            raise SystemExit(f"{url} does not answer")
        time.sleep(0.5)


def throughput(url: str, peer_url: str | None) -> list[Row]:
    """Requests a second and latencies with one and with eight clients."""
    targets = {"offline cloud": (url, REQUESTS)}
    if peer_url is not None:
        targets["serverless-offline"] = (peer_url, REQUESTS // 10)
    rows = []
    for clients in (1, 8):
        done: dict[str, list[Load]] = {name: [] for name in targets}
        for _ in range(ROUNDS):
            for name, (address, requests) in targets.items():
                load(address, clients=clients, requests=20 * clients, limit_s=LIMIT_S)
                done[name].append(load(address, clients=clients, requests=requests, limit_s=LIMIT_S, echo=True))
        rows += [throughput_row(name, clients, loads) for name, loads in done.items()]
    return rows


def throughput_row(name: str, clients: int, loads: list[Load]) -> Row:
    return {
        "name": name,
        "clients": clients,
        "per_s": median([each.rate for each in loads]),
        "p50_ms": median([each.percentile_ms(50) for each in loads]),
        "p99_ms": median([each.percentile_ms(99) for each in loads]),
        "failed": sum(each.failed for each in loads),
        "mixed_up": sum(each.mixed_up for each in loads),
    }


def weighted_alias(cloud: BenchCloud, url: str) -> Row:
    """The share of 5,000 requests that the second version got."""
    functions, count = cloud.client("lambda"), 5_000
    functions.update_alias(
        FunctionName="bench", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": WEIGHT}}
    )
    done = load(url, clients=8, requests=count, limit_s=LIMIT_S)
    functions.update_alias(FunctionName="bench", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    share = done.bodies.get(b"2", 0) / done.answered
    z = (share - WEIGHT) / (WEIGHT * (1 - WEIGHT) / done.answered) ** 0.5
    return {"name": f"weight {WEIGHT}", "count": done.answered, "share": share, "z": z, "failed": done.failed}


def memory() -> list[Row]:
    """Memory of the cloud before its first call, and with eight workers that wait."""
    with BenchCloud() as cloud:
        idle_mb = cloud.memory_mb()
        prepare(cloud)
        functions = [cloud.client("lambda") for _ in range(8)]

        def invoke(client: Any) -> None:
            client.invoke(FunctionName="bench", Qualifier="1", Payload=b'{"pause_s": 5}')

        threads = [threading.Thread(target=invoke, args=[client]) for client in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        busy: Row = {"name": "cloud and workers", "count": len(cloud.worker_pids()), "mb": cloud.memory_mb()}
    return [{"name": "idle cloud", "mb": idle_mb}, busy]


def rollouts(cloud: BenchCloud, url: str) -> Row:
    """Fifty shifts to and fro under load, while workers are killed at random."""
    codedeploy, stop, dice = cloud.client("codedeploy"), threading.Event(), random.Random(1)
    cloud.deployment_group("bench")
    begun, statuses, kills = time.perf_counter(), [], 0
    done: list[Load] = []
    asking = threading.Thread(
        target=lambda: done.append(load(url, clients=4, requests=1_000_000, limit_s=900, stop=stop))
    )
    asking.start()
    for number in range(ROLLOUTS):
        deployment = cloud.deploy("bench", "live", *(("1", "2") if number % 2 == 0 else ("2", "1")))
        while True:
            status = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["status"]
            if status in ("Succeeded", "Failed", "Stopped"):
                break
            kills += kill_one(cloud, dice)
            time.sleep(dice.uniform(0.1, 0.4))
        statuses.append(status)
    stop.set()
    asking.join()
    return {
        "name": f"{statuses.count('Succeeded')} of {ROLLOUTS} rollouts, {kills} workers killed",
        "count": done[0].answered,
        "lost": done[0].lost,
        "failed": done[0].refused,
        "seconds": time.perf_counter() - begun,
    }


def kill_one(cloud: BenchCloud, dice: random.Random) -> int:
    """SIGKILL to a worker of this cloud, as when its machine is lost; 1 if there was one."""
    pids = cloud.worker_pids()
    if not pids:
        return 0
    try:
        os.kill(dice.choice(pids), signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def stack(cloud: BenchCloud) -> list[Row]:
    """A stack of 100 resources: seconds to deploy, to update half of it, to destroy it."""
    client, rows = cloud.client("cloudformation"), []
    steps = (
        ("deploy", lambda: client.create_stack(StackName="hundred", TemplateBody=stack_of_100(1), **CAPABLE)),
        ("update", lambda: client.update_stack(StackName="hundred", TemplateBody=stack_of_100(2), **CAPABLE)),
        ("destroy", lambda: client.delete_stack(StackName="hundred")),
    )
    stack_id = ""
    for name, step in steps:
        begun = time.perf_counter()
        stack_id = step().get("StackId", stack_id)
        status = cloud.stack_settled(stack_id)
        rows.append({"name": f"stack of 100: {name}, {status}", "seconds": time.perf_counter() - begun})
    return rows


CAPABLE: dict[str, Any] = {"Capabilities": ["CAPABILITY_IAM"]}


if __name__ == "__main__":
    main("offline", measure, note=NOTE)
