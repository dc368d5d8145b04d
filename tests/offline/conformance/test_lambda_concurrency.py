"""Concurrency: reserved, account-wide, provisioned; and SnapStart."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

SLOW = "import time\ndef handler(event, context):\n    time.sleep(event.get('s', 0))\n    return 'ok'\n"
KIND = "import os\nKIND = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\ndef handler(e, c):\n    return KIND\n"


def refusal(call, **parameters) -> dict[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    found: dict[str, str] = error.value.response["Error"] | error.value.response
    return found


def wait_until(condition, what: str):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true")


def test_reserved_concurrency_of_zero_stops_a_function(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
    functions, name = aws("lambda"), deploy_function(SLOW)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    found = refusal(functions.invoke, FunctionName=name)
    assert found["Code"] == "TooManyRequestsException"
    assert found["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 429
    functions.delete_function_concurrency(FunctionName=name)
    assert functions.invoke(FunctionName=name)["Payload"].read() == b'"ok"'


def test_reserved_concurrency_bounds_what_runs_at_once(aws, deploy_function):
    """Reserved concurrency limits concurrent executions.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
    """
    functions, name = aws("lambda"), deploy_function(SLOW)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    functions.invoke(FunctionName=name)

    def invoke(_):
        try:
            return functions.invoke(FunctionName=name, Payload=b'{"s": 2}')["StatusCode"]
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(invoke, range(3))) == [200, 429, 429]


def test_a_hundred_must_stay_unreserved(aws, deploy_function, cloud):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
    most = cloud.config.account_concurrency - 99
    found = refusal(
        aws("lambda").put_function_concurrency,
        FunctionName=deploy_function(SLOW),
        ReservedConcurrentExecutions=most,
    )
    assert found["Code"] == "InvalidParameterValueException"
    assert "below its minimum value of [100]" in found["Message"]


def test_requests_at_once_run_in_environments_of_their_own(aws, deploy_function):
    """Concurrent requests run in separate environments.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
    """
    code = "import os, time\ndef handler(event, context):\n    time.sleep(1)\n    return os.getpid()\n"
    functions, name = aws("lambda"), deploy_function(code)
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda _: functions.invoke(FunctionName=name)["Payload"].read(), range(3)))
    assert len(set(answers)) == 3


@pytest.fixture
def provisioned(aws, deploy_function):
    """A function whose alias ``live`` has two provisioned environments that are ready."""
    functions, name = aws("lambda"), deploy_function(KIND, Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    which = {"FunctionName": name, "Qualifier": "live"}
    made = functions.put_provisioned_concurrency_config(**which, ProvisionedConcurrentExecutions=2)
    assert made["Status"] == "IN_PROGRESS"
    wait_until(lambda: functions.get_provisioned_concurrency_config(**which)["Status"] == "READY", "READY")
    yield name
    functions.delete_provisioned_concurrency_config(**which)


def test_provisioned_environments_serve_their_alias(aws, provisioned):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html"""
    functions = aws("lambda")
    which = {"FunctionName": provisioned, "Qualifier": "live"}
    settings = functions.get_provisioned_concurrency_config(**which)
    assert settings["AllocatedProvisionedConcurrentExecutions"] == 2
    answer = functions.invoke(**which, LogType="Tail")
    assert answer["Payload"].read() == b'"provisioned-concurrency"'
    listed = functions.list_provisioned_concurrency_configs(FunctionName=provisioned)
    assert listed["ProvisionedConcurrencyConfigs"][0]["FunctionArn"].endswith(f"{provisioned}:live")


@pytest.mark.parametrize("reading", ["accepted", "refused"])
def test_an_alias_with_provisioned_concurrency_may_get_weights_or_not(aws, cloud, play, provisioned, reading):
    """Whether an alias with provisioned concurrency can get weights is a reading.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    """
    play(cloud, alias_with_provisioned=reading)
    functions = aws("lambda")
    functions.update_function_configuration(FunctionName=provisioned, Timeout=8)
    functions.publish_version(FunctionName=provisioned)
    weights = {
        "FunctionName": provisioned,
        "Name": "live",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}},
    }
    if reading == "accepted":
        assert functions.update_alias(**weights)["RoutingConfig"] == weights["RoutingConfig"]
        return
    found = refusal(functions.update_alias, **weights)
    assert found["Message"] == "Alias with weights can not be used with Provisioned Concurrency"


def test_a_weighted_alias_cannot_change_provisioned_concurrency(aws, cloud, play, provisioned):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html"""
    play(cloud, alias_with_provisioned="accepted")
    functions = aws("lambda")
    functions.update_function_configuration(FunctionName=provisioned, Timeout=8)
    functions.publish_version(FunctionName=provisioned)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    functions.update_alias(FunctionName=provisioned, Name="live", RoutingConfig=weights)
    found = refusal(
        functions.put_provisioned_concurrency_config,
        FunctionName=provisioned,
        Qualifier="live",
        ProvisionedConcurrentExecutions=1,
    )
    assert found["Code"] == "InvalidParameterValueException"


def test_provisioned_environments_follow_their_alias(aws, provisioned):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html"""
    functions, which = aws("lambda"), {"FunctionName": provisioned, "Qualifier": "live"}
    functions.update_function_configuration(FunctionName=provisioned, Timeout=8)
    functions.publish_version(FunctionName=provisioned)
    functions.update_alias(FunctionName=provisioned, Name="live", FunctionVersion="2")

    def moved():
        status = functions.get_provisioned_concurrency_config(**which)["Status"]
        answer = functions.invoke(**which)
        return status == "READY" and answer["Payload"].read() == b'"provisioned-concurrency"'

    wait_until(moved, "version 2 is provisioned")


def test_latest_has_no_provisioned_concurrency(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html"""
    found = refusal(
        aws("lambda").put_provisioned_concurrency_config,
        FunctionName=deploy_function(KIND),
        Qualifier="$LATEST",
        ProvisionedConcurrentExecutions=1,
    )
    assert "cannot be applied to unpublished function versions" in found["Message"]


def test_without_settings_there_is_no_provisioned_concurrency(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html"""
    name = deploy_function(KIND, Publish=True)
    found = refusal(aws("lambda").get_provisioned_concurrency_config, FunctionName=name, Qualifier="1")
    assert found["Code"] == "ProvisionedConcurrencyConfigNotFoundException"


SNAP = (
    "import os\nfrom snapshot_restore_py import register_after_restore, register_before_snapshot\n"
    "print('in init')\nseen = []\n"
    "@register_before_snapshot\ndef before():\n    seen.append('before')\n"
    "@register_after_restore\ndef after():\n    seen.append('after')\n    print('in restore')\n"
    "def handler(event, context):\n    return [os.environ['AWS_LAMBDA_INITIALIZATION_TYPE'], seen]\n"
)


def test_snap_start_runs_its_hooks(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html"""
    functions, name = aws("lambda"), deploy_function(SNAP, SnapStart={"ApplyOn": "PublishedVersions"})
    published = functions.publish_version(FunctionName=name)
    assert published["State"] == "Pending"
    functions.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 1}
    )
    shown = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    assert shown["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    answer = functions.invoke(FunctionName=name, Qualifier="1", LogType="Tail")
    assert json.loads(answer["Payload"].read()) == ["snap-start", ["before", "after"]]


def test_snap_start_logs_restore_and_not_init(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html"""
    import base64

    functions = aws("lambda")
    name = deploy_function(SNAP, SnapStart={"ApplyOn": "PublishedVersions"}, Publish=True)
    functions.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 1}
    )
    log = base64.b64decode(
        functions.invoke(FunctionName=name, Qualifier="1", LogType="Tail")["LogResult"]
    ).decode()
    assert "RESTORE_START Runtime Version" in log
    assert "in restore" in log
    assert "in init" not in log
    assert "Restore Duration" in log
    assert "Init Duration" not in log


def test_snap_start_is_for_published_versions_only(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"""
    functions, name = aws("lambda"), deploy_function(SNAP, SnapStart={"ApplyOn": "PublishedVersions"})
    assert json.loads(functions.invoke(FunctionName=name)["Payload"].read()) == ["on-demand", []]


def test_a_version_whose_init_fails_has_no_snapshot(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html"""
    functions = aws("lambda")
    name = deploy_function("import not_there\n", SnapStart={"ApplyOn": "PublishedVersions"}, Publish=True)

    def failed():
        shown = functions.get_function_configuration(FunctionName=name, Qualifier="1")
        return shown if shown["State"] == "Failed" else None

    assert "No module named 'not_there'" in wait_until(failed, "State Failed")["StateReason"]


@pytest.mark.parametrize(
    "setting", [{"EphemeralStorage": {"Size": 1024}}, {"Runtime": "python3.11"}], ids=["storage", "runtime"]
)
def test_snap_start_has_requirements(deploy_function, setting):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"""
    found = refusal(deploy_function, code=SNAP, SnapStart={"ApplyOn": "PublishedVersions"}, **setting)
    assert found["Code"] == "InvalidParameterValueException"


def test_snap_start_and_provisioned_concurrency_exclude_one_another(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"""
    name = deploy_function(SNAP, SnapStart={"ApplyOn": "PublishedVersions"}, Publish=True)
    found = refusal(
        aws("lambda").put_provisioned_concurrency_config,
        FunctionName=name,
        Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    )
    assert "not supported for SnapStart" in found["Message"]
