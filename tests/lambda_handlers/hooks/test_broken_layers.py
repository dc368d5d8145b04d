"""With layers from which nothing can be imported, every handler is loaded all the same, and says that it failed to
whoever waits: a release must not hang for hours on what broke it."""

import ast
import base64
import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
FUNCTION, DEPLOYMENT = "shop-dev-churn", "d-ABCDEFGHI"
#: Loads a handler where only the standard library, its own code and what Lambda's runtime brings can be imported.
RUN = """
import importlib, importlib.abc, json, sys

RUNTIME = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "serinus"}
failures = {
    "absent": ModuleNotFoundError,
    "not loadable": OSError,
    "of another version": AttributeError,
    "mad": SystemError,
}
module, kind, event, layer = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])

class Broken(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in RUNTIME:
            return None
        raise failures[kind](f"layer: {name}") if top in layer else ModuleNotFoundError(name)

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

sys.meta_path.insert(0, Broken())
result = importlib.import_module(module).handler(event, Context())
print(json.dumps({"result": result}, default=str))
"""


@dataclass
class Aws:
    """As much of AWS as answers a handler: every call is noted, by operation, with its body."""

    url: str = ""
    calls: dict[str, list[bytes]] = field(default_factory=dict)

    def body(self, operation: str) -> dict[str, Any]:
        (body,) = self.calls[operation]
        read: dict[str, Any] = json.loads(body)
        return read


ANSWERS: dict[str, Any] = {
    "ListDeployments": {"deployments": [DEPLOYMENT]},
    "GetDeployment": {"deploymentInfo": {"creator": "CloudFormation"}},
    "ListDeploymentTargets": {"targetIds": ["one"]},
    "BatchGetDeploymentTargets": {
        "deploymentTargets": [
            {
                "lambdaTarget": {
                    "lambdaFunctionInfo": {
                        "functionName": FUNCTION,
                        "functionAlias": "live",
                        "currentVersion": "6",
                        "targetVersion": "7",
                        "targetVersionWeight": 0.1,
                    },
                    "lifecycleEvents": [{"lifecycleEventName": "AllowTraffic", "startTime": 1_700_000_000.0}],
                }
            }
        ]
    },
    "PutEvents": {"FailedEntryCount": 0, "Entries": []},
    "versions": {"Versions": []},
    "aliases": {"Aliases": []},
}


@pytest.fixture
def aws() -> Iterator[Aws]:
    found = Aws()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            operation = target or self.path.partition("?")[0].rpartition("/")[2]
            found.calls.setdefault(operation, []).append(body)
            cbor = "cbor" in self.headers.get("Content-Type", "")
            # No parameter was stored yet.
            missing = operation == "GetParameter"
            answer = {"__type": "ParameterNotFound"} if missing else ANSWERS.get(operation, {})
            content = b"\xa0" if cbor else json.dumps(answer).encode()
            self.send_response(400 if missing else 200)
            if cbor:
                self.send_header("smithy-protocol", "rpc-v2-cbor")
            self.send_header("Content-Type", "application/cbor" if cbor else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def layer_modules() -> list[str]:
    """What can be imported from the runtime layer, by its packages' names."""
    lines = (ROOT / "packaging" / "layers" / "inference.txt").read_text().splitlines()
    packages = {line.partition("==")[0].replace("-", "_") for line in lines if "==" in line and line[0].isalpha()}
    assert {"numpy", "onnxruntime"} <= packages
    return sorted(packages)


def run(aws: Aws, module: str, kind: str, event: dict[str, Any]) -> Any:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SERINUS_FUNCTION": FUNCTION,
        "SERINUS_ALIAS": "live",
        "SERINUS_APPLICATION": FUNCTION,
        "SERINUS_DEPLOYMENT_GROUP": "live",
        "SERINUS_VERSION": "1",
        "SERINUS_KEEP_VERSIONS": "2",
        "SERINUS_MODEL_DIR": "/nowhere",
        "SERINUS_BUCKET": "bucket",
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, module, kind, json.dumps(event), json.dumps(layer_modules())],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["result"]


HOOK = {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}


def resource_event(aws: Aws, kind: str) -> dict[str, Any]:
    identity = {"StackId": "stack-1", "RequestId": "request-1", "LogicalResourceId": "Check"}
    return {**identity, "RequestType": kind, "ResponseURL": f"{aws.url}/response", "ResourceProperties": {}}


def first_release(aws: Aws, module: str, kind: str) -> None:
    run(aws, module, kind, resource_event(aws, "Create"))
    answer = aws.body("response")
    assert answer["Status"] == "FAILED"
    assert "the check crashed: " in answer["Reason"]
    assert "layer: " in answer["Reason"]


def hook(aws: Aws, module: str, kind: str) -> None:
    assert run(aws, module, kind, HOOK)["status"] == "Failed"
    assert aws.body("PutLifecycleEventHookExecutionStatus")["status"] == "Failed"


def judge(aws: Aws, module: str, kind: str) -> None:
    said = run(aws, module, kind, {"time": "2023-11-14T22:14:00Z"})
    assert (said["verdict"], said["final"]) == ("roll back", True)
    assert "cannot be loaded" in said["reason"]
    assert len(aws.calls["PutMetricData"]) == 1
    assert json.loads(aws.body("PutParameter")["Value"])["deployment_id"] == DEPLOYMENT
    (event,) = aws.body("PutEvents")["Entries"]
    assert json.loads(event["Detail"])["verdict"] == "roll back"


def retire(aws: Aws, module: str, kind: str) -> None:
    """It has no layers, and needs none."""
    assert run(aws, module, kind, {"detail": {"deploymentId": DEPLOYMENT}}) == {"deleted": []}


def collector(aws: Aws, module: str, kind: str) -> None:
    """It has no layers, and needs none."""
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": []}
    data = base64.b64encode(gzip.compress(json.dumps(control).encode())).decode()
    assert run(aws, module, kind, {"awslogs": {"data": data}}) == {"kept": 0, "damaged": 0}


#: What each handler does without its layers.
EXPECTED: dict[str, Callable[[Aws, str, str], None]] = {
    "serinus.lambda_handlers.hooks.first_release": first_release,
    "serinus.lambda_handlers.hooks.before_traffic": hook,
    "serinus.lambda_handlers.hooks.after_traffic": hook,
    "serinus.lambda_handlers.hooks.judge": judge,
    "serinus.lambda_handlers.hooks.retire_versions": retire,
    "serinus.lambda_handlers.monitoring.collector": collector,
}
#: They fail without them. That one does not predict is what the others tell of, and its cold start is short; that
#: the other does not look is what an alarm tells of.
WITHOUT_ANSWER = {"serinus.lambda_handlers.inference.handler", "serinus.lambda_handlers.monitoring.monitor"}


def handlers() -> list[str]:
    """Every module that Lambda can be told to run: those with a ``handler`` at their top level."""
    found = []
    for path in sorted((ROOT / "lambda_handlers").rglob("*.py")):
        names = {
            name
            for node in ast.parse(path.read_text()).body
            for name in (
                [node.name]
                if isinstance(node, ast.FunctionDef)
                else [one.id for one in getattr(node, "targets", []) if isinstance(one, ast.Name)]
            )
        }
        if "handler" in names:
            found.append("serinus." + ".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


def test_every_handler_is_known_here() -> None:
    assert {*handlers()} | WITHOUT_ANSWER == {*EXPECTED} | WITHOUT_ANSWER


@pytest.mark.parametrize("kind", ["absent", "not loadable", "of another version", "mad"])
@pytest.mark.parametrize("module", EXPECTED)
def test_a_handler_whose_layers_are_broken_says_so(aws: Aws, module: str, kind: str) -> None:
    EXPECTED[module](aws, module, kind)


@pytest.mark.parametrize("request_type", ["Update", "Delete"])
def test_what_needs_no_layer_is_answered_without_one(aws: Aws, request_type: str) -> None:
    """CloudFormation sends a Delete after a Create that failed; it must not fail for the same reason."""
    run(aws, "serinus.lambda_handlers.hooks.first_release", "absent", resource_event(aws, request_type))
    assert aws.body("response")["Status"] == "SUCCESS"
    assert set(aws.calls) == {"response"}
