"""Environment variables of a worker, and which Python runs it."""

from pathlib import Path

import pytest

from serinus.offline.core.errors import OfflineError
from serinus.offline.sandbox.environment import Credentials, WorkerPaths, worker_environment
from serinus.offline.sandbox.interpreter import Interpreter, prepare
from serinus.offline.sandbox.spec import Archive, FunctionSpec

PLACES = WorkerPaths(Path("/here/code"), Path("/here/opt"), Path("/here/tmp"))
PYTHON = Interpreter(Path("/py/bin/python"), "3.11", "3.11.7", "cpython-311", Path("/here/runtime"))


def environment(**variables: str) -> dict[str, str]:
    spec = FunctionSpec(
        region="eu-west-1",
        account_id="123456789012",
        name="bird",
        version="7",
        revision="r",
        runtime="python3.13",
        handler="app.handler",
        role="arn",
        memory_mb=512,
        timeout_s=3,
        code=Archive("code", "0" * 64, Path("/zip")),
        environment=variables,
        log_group="/aws/lambda/bird",
    )
    return worker_environment(
        spec,
        paths=PLACES,
        interpreter=PYTHON,
        runtime_api="127.0.0.1:1",
        initialization="on-demand",
        log_stream="stream",
        credentials=Credentials("key", "secret", "token", 0.0),
        endpoint_url="http://127.0.0.1:4577",
    )


def test_paths_below_opt_and_task_root_lead_to_where_those_are():
    found = environment(MODEL="/opt/model/m.onnx", CODE="/var/task", MIXED="/opt/a:/usr/b", OTHER="/options")
    assert found["MODEL"] == "/here/opt/model/m.onnx"
    assert found["CODE"] == "/here/code"
    assert found["MIXED"] == "/here/opt/a:/usr/b"
    assert found["OTHER"] == "/options"


def test_the_search_path_is_own_then_layers_then_awss_packages():
    assert environment(PYTHONPATH="/opt/extra")["PYTHONPATH"].split(":") == [
        "/here/opt/extra",
        "/here/opt/python/lib/python3.13/site-packages",
        "/here/opt/python",
        "/here/runtime",
    ]


def test_boto3_of_the_function_reaches_this_cloud_as_its_role():
    found = environment()
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4577"
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SESSION_TOKEN"]) == ("key", "token")
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_a_proxy_of_the_function_is_not_for_this_machine():
    found = environment(HTTPS_PROXY="http://proxy.example:3128", NO_PROXY="intern.example")
    assert found["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert {"intern.example", "127.0.0.1", "localhost"} <= set(found["NO_PROXY"].split(","))
    assert found["no_proxy"] == found["NO_PROXY"]
    assert not {"NO_PROXY", "no_proxy"} & environment().keys()


def test_a_python_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(OfflineError, match="/no/such/python cannot be run"):
        prepare(Path("/no/such/python"), tmp_path)


def test_the_runtime_directory_holds_awss_packages_and_no_others(tmp_path):
    linked = {path.name for path in prepare(None, tmp_path).runtime_dir.iterdir()}
    assert {"awslambdaric", "boto3", "snapshot_restore_py.py"} <= linked
    assert not {"moto", "pytest", "offline"} & linked
