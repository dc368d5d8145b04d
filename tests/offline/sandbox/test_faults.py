"""Faults on order: each does to a function what it says, to the version it names, until it is cleared."""

import base64
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

pytestmark = pytest.mark.slow

HANDLER = "def handler(event, context):\n    return 'fine'\n"


@pytest.fixture
def faults(cloud):
    """Calls the offline API for faults; all faults of the functions it touched are cleared afterwards."""
    touched: set[str] = set()

    def call(method: str, path: str = "", body=None):
        if body:
            touched.add(body.get("function", ""))
        return cloud.own_api().request(method, f"/faults{path}", json=body).raise_for_status().json()

    yield call
    for function in touched - {""}:
        call("DELETE", f"?function={function}")


@pytest.fixture
def invoke(aws):
    def run(name, **parameters):
        answer = aws("lambda").invoke(FunctionName=name, LogType="Tail", **parameters)
        log = base64.b64decode(answer["LogResult"]).decode()
        return json.loads(answer["Payload"].read()), answer.get("FunctionError"), log

    return run


def test_an_error_rate_of_one_fails_every_invocation_until_cleared(deploy_function, faults, invoke):
    name = deploy_function(HANDLER)
    faults("PUT", body={"function": name, "error_rate": 1.0})
    payload, error, _ = invoke(name)
    assert (payload["errorType"], error) == ("InjectedFault", "Unhandled")
    faults("DELETE", f"?function={name}")
    assert invoke(name)[:2] == ("fine", None)


def test_a_fault_of_one_version_leaves_the_others_alone(aws, deploy_function, faults, invoke):
    name = deploy_function(HANDLER, Publish=True)
    faults("PUT", body={"function": name, "version": "1", "error_rate": 1.0})
    assert invoke(name)[1] is None
    assert invoke(name, Qualifier="1")[1] == "Unhandled"


def test_latency_counts_as_duration_and_can_time_out(deploy_function, faults, invoke):
    name = deploy_function(HANDLER, Timeout=1)
    faults("PUT", body={"function": name, "latency_ms": 60_000})
    payload, _, _ = invoke(name)
    assert payload["errorType"] == "Sandbox.Timedout"


def test_a_crash_is_an_exit_error(deploy_function, faults, invoke):
    name = deploy_function("import time\ndef handler(event, context):\n    time.sleep(30)\n")
    faults("PUT", body={"function": name, "crash_rate": 1})
    payload, error, _ = invoke(name)
    assert error == "Unhandled"
    assert payload["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_init_can_be_slow(deploy_function, faults, invoke):
    name = deploy_function(HANDLER)
    faults("PUT", body={"function": name, "slow_init_ms": 300})
    payload, _, log = invoke(name)
    assert payload == "fine"
    assert float(log.split("Init Duration: ")[1].split(" ms")[0]) >= 300


def test_a_slow_init_is_slow_by_the_functions_own_clock(deploy_function, faults, invoke):
    name = deploy_function(
        "import os, time\n"
        "ticks = int(open('/proc/self/stat').read().rpartition(')')[2].split()[19])\n"
        "LIVED_S = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf('SC_CLK_TCK')\n"
        "def handler(event, context):\n    return LIVED_S\n"
    )
    faults("PUT", body={"function": name, "slow_init_ms": 400})
    assert invoke(name)[0] >= 0.4


def test_recycled_workers_end_and_no_request_fails(deploy_function, faults, invoke):
    name = deploy_function("import os\ndef handler(event, context):\n    return os.getpid()\n")
    before, _, _ = invoke(name)
    assert faults("POST", "/recycle-workers", body={"function": name}) == {"recycled": 1}
    after, error, log = invoke(name)
    assert (error, after == before) == (None, False)
    assert "Init Duration" in log


def test_a_busy_worker_answers_before_it_is_recycled(cloud, deploy_function, faults, invoke):
    code = "import os, time\ndef handler(event, context):\n    time.sleep(1)\n    return os.getpid()\n"
    name = deploy_function(code)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(invoke, name)
        while not any(one.function == name and one.pid for one in cloud.services.lambda_.sandbox.states()):
            assert not under_way.done()
            time.sleep(0.01)
        assert faults("POST", "/recycle-workers", body={"function": name}) == {"recycled": 1}
        pid, error, _ = under_way.result()
    assert error is None
    assert invoke(name)[0] != pid


def test_init_can_fail(deploy_function, faults, invoke):
    name = deploy_function(HANDLER)
    faults("PUT", body={"function": name, "init_failure_rate": 1})
    payload, error, log = invoke(name)
    assert (payload["errorType"], error) == ("Runtime.ExitError", "Unhandled")
    assert "Phase: init\tStatus: error\tError Type: Runtime.ExitError" in log


def test_killed_workers_are_replaced_without_a_failed_request(deploy_function, faults, invoke):
    name = deploy_function("import os\ndef handler(event, context):\n    return os.getpid()\n")
    before, _, _ = invoke(name)
    assert faults("POST", "/kill-workers", body={"function": name}) == {"killed": 1}
    after, error, _ = invoke(name)
    assert error is None
    assert after != before


def test_the_same_seed_throws_the_same_dice_again(cloud):
    thrown = []
    for _ in range(2):
        cloud.own_api().put("/dice", {"seed": 7}).raise_for_status()
        thrown.append(cloud.services.lambda_.dice.random())
    assert thrown == [random.Random(7).random()] * 2


def test_faults_are_listed(deploy_function, faults):
    name = deploy_function(HANDLER)
    faults("PUT", body={"function": name, "latency_ms": 5})
    found = next(fault for fault in faults("GET")["faults"] if fault["function"] == name)
    assert (found["version"], found["latency_ms"], found["error_rate"]) == ("*", 5, 0.0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"function": "f", "error_rate": 1.5}, "error_rate is 1.5; it must be a number between 0 and 1"),
        ({"function": "f", "eror_rate": 1}, "unknown fault 'eror_rate'"),
        ({"error_rate": 1}, "a fault needs a function"),
        ({"function": "f", "latency_ms": True}, "latency_ms is True"),
    ],
)
def test_a_wrong_fault_is_refused_with_the_reason(faults, body, words):
    with pytest.raises(httpx.HTTPStatusError) as error:
        faults("PUT", body=body)
    answer = error.value.response
    assert answer.status_code == 400
    assert words in answer.json()["message"]


def test_a_fault_behind_aliases_only_spares_who_names_a_version(aws, deploy_function, faults, invoke):
    name = deploy_function("def handler(event, context):\n    return 'fine'\n")
    client = aws("lambda")
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    faults("PUT", body={"function": name, "error_rate": 1.0, "alias_only": True})
    assert "FunctionError" not in client.invoke(FunctionName=name, Qualifier=version)
    assert client.invoke(FunctionName=name, Qualifier="live")["FunctionError"] == "Unhandled"
