"""Invoking: payloads, errors, limits, and what a function finds around itself."""

import base64
import json

import pytest
from botocore.exceptions import ClientError

ECHO = "def handler(event, context):\n    return event\n"


def run(aws, name, event=None, **parameters):
    """Invoke and return the answer with its payload parsed."""
    payload = json.dumps(event).encode() if event is not None else b""
    answer = aws("lambda").invoke(FunctionName=name, Payload=payload, **parameters)
    answer["Payload"] = json.loads(answer["Payload"].read() or b"null")
    return answer


def log_of(answer) -> str:
    return base64.b64decode(answer["LogResult"]).decode()


def test_the_answer_is_what_the_handler_returns(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    answer = run(aws, deploy_function(ECHO), {"bird": "canary", "n": [1, 2.5, None]})
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert answer["Payload"] == {"bird": "canary", "n": [1, 2.5, None]}


def test_no_payload_is_an_empty_event(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html"""
    assert run(aws, deploy_function(ECHO))["Payload"] == {}


def test_a_payload_that_is_no_json_is_refused(aws, deploy_function):
    """A payload that is not JSON is rejected.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
    """
    with pytest.raises(ClientError) as error:
        aws("lambda").invoke(FunctionName=deploy_function(ECHO), Payload=b"{not json")
    assert error.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_a_missing_qualifier_is_not_found(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors"""
    name = deploy_function(ECHO)
    with pytest.raises(ClientError) as error:
        aws("lambda").invoke(FunctionName=name, Qualifier="nobody")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert error.value.response["Error"]["Message"].endswith(f"function:{name}:nobody")


def test_contradicting_qualifiers_are_refused(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    name = deploy_function(ECHO, Publish=True)
    with pytest.raises(ClientError) as error:
        aws("lambda").invoke(FunctionName=f"{name}:1", Qualifier="$LATEST")
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "derived qualifier" in error.value.response["Error"]["Message"]


def test_a_dry_run_runs_nothing(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    answer = aws("lambda").invoke(FunctionName=deploy_function("raise SystemExit"), InvocationType="DryRun")
    assert answer["StatusCode"] == 204


def test_an_exception_is_an_unhandled_function_error(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    answer = run(aws, deploy_function("def handler(event, context):\n    raise ValueError('no seed')\n"))
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorMessage"] == "no seed"
    assert answer["Payload"]["errorType"] == "ValueError"
    assert "line 2, in handler" in answer["Payload"]["stackTrace"][0]
    assert answer["Payload"]["requestId"] == answer["ResponseMetadata"]["RequestId"]


def test_a_failing_import_is_an_import_module_error(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"""
    answer = run(aws, deploy_function("import not_there\n"), LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.ImportModuleError"
    assert answer["Payload"]["errorMessage"] == "Unable to import module 'app': No module named 'not_there'"
    assert "Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError" in log_of(answer)
    assert "Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError" in log_of(answer)


def test_a_missing_handler_is_named(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html"""
    answer = run(aws, deploy_function("x = 1\n"))
    assert answer["Payload"]["errorType"] == "Runtime.HandlerNotFound"
    assert answer["Payload"]["errorMessage"] == "Handler 'handler' missing on module 'app'"


def test_an_answer_that_is_no_json_is_a_marshal_error(aws, deploy_function):
    """A result that cannot be serialized to JSON is a marshal error.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html#python-handler-return
    """
    answer = run(aws, deploy_function("def handler(event, context):\n    return {1, 2}\n"))
    assert answer["Payload"]["errorType"] == "Runtime.MarshalError"


def test_a_timeout_ends_the_invocation(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""
    code = "import time\ndef handler(event, context):\n    time.sleep(60)\n"
    answer = run(aws, deploy_function(code, Timeout=1), LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"] == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    assert f"{request_id} Task timed out after 1.00 seconds" in log_of(answer)
    assert "Status: timeout" in log_of(answer)


def test_a_function_works_again_after_a_timeout(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""
    code = "import time\ndef handler(event, context):\n    time.sleep(event['s'])\n    return 'done'\n"
    name = deploy_function(code, Timeout=1)
    assert run(aws, name, {"s": 60})["FunctionError"] == "Unhandled"
    assert run(aws, name, {"s": 0})["Payload"] == "done"


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_process_that_ends_is_an_exit_error(aws, deploy_function, ending, words):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"""
    answer = run(aws, deploy_function(f"import os, sys\ndef handler(event, context):\n    {ending}\n"))
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["Payload"] == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: {words}",
    }


def test_more_memory_than_configured_kills_the_function(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"""
    # The memory is held for a while, so that a busy machine sees it too.
    code = (
        "import time\n"
        "def handler(event, context):\n"
        "    block = bytearray(200 * 1024 * 1024)\n"
        "    time.sleep(20)\n"
        "    return len(block)\n"
    )
    answer = run(aws, deploy_function(code, MemorySize=128, Timeout=60), LogType="Tail")
    assert answer["Payload"]["errorType"] == "Runtime.ExitError"
    assert answer["Payload"]["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert "Max Memory Used: 128 MB" in log_of(answer)


def test_a_response_may_have_6_mb(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    name = deploy_function("def handler(event, context):\n    return 'x' * event\n")
    assert len(run(aws, name, 6_291_500)["Payload"]) == 6_291_500
    answer = run(aws, name, 6_291_556)
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"] == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size (6291558 bytes) exceeded maximum allowed payload size "
        "(6291556 bytes).",
    }


def test_a_request_may_have_6_mb(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    name = deploy_function("def handler(event, context):\n    return len(event)\n")
    assert run(aws, name, "x" * 6_291_454)["Payload"] == 6_291_454
    with pytest.raises(ClientError) as error:
        run(aws, name, "x" * 6_291_455)
    assert error.value.response["Error"]["Code"] == "RequestTooLargeException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_the_context_knows_the_invocation(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""
    code = (
        "def handler(event, context):\n"
        "    return {'name': context.function_name, 'version': context.function_version,\n"
        "            'arn': context.invoked_function_arn, 'memory': context.memory_limit_in_mb,\n"
        "            'id': context.aws_request_id, 'group': context.log_group_name,\n"
        "            'left': context.get_remaining_time_in_millis(),\n"
        "            'client': context.client_context.custom if context.client_context else None}\n"
    )
    name = deploy_function(code, Publish=True, MemorySize=512, Timeout=20)
    aws("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client_context = base64.b64encode(b'{"custom": {"who": "me"}}').decode()
    answer = run(aws, name, Qualifier="live", ClientContext=client_context)
    found = answer["Payload"]
    assert 0 < found.pop("left") <= 20_000
    assert found == {
        "name": name,
        "version": "1",
        "arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}:live",
        "memory": "512",
        "id": answer["ResponseMetadata"]["RequestId"],
        "group": f"/aws/lambda/{name}",
        "client": {"who": "me"},
    }


def test_a_function_sees_aws_variables_and_its_own_and_no_others(aws, deploy_function, monkeypatch):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "1")
    code = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    name = deploy_function(code, Environment={"Variables": {"COLOUR": "yellow"}})
    found = run(aws, name)["Payload"]
    assert found["COLOUR"] == "yellow"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert found["AWS_REGION"] == "us-east-1"
    assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert found["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert found["_HANDLER"] == "app.handler"
    assert found["TZ"] == ":UTC"
    assert "SECRET_OF_THE_SHELL" not in found


def test_a_function_acts_as_its_role(aws, deploy_function, lambda_role):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"""
    code = (
        "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n"
    )
    name = deploy_function(code, MemorySize=512, Timeout=30)
    role = lambda_role.rsplit("/", 1)[-1]
    assert run(aws, name)["Payload"] == f"arn:aws:sts::123456789012:assumed-role/{role}/{name}"


def test_what_happens_to_be_installed_here_is_not_importable(aws, deploy_function):
    """Packages installed on this machine cannot be imported.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    name = deploy_function("import boto3\nimport moto\ndef handler(event, context): pass\n", MemorySize=512)
    assert "No module named 'moto'" in run(aws, name)["Payload"]["errorMessage"]


def test_an_environment_is_used_again(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""
    name = deploy_function("count = 0\ndef handler(e, c):\n    global count\n    count += 1\n    return count\n")
    assert [run(aws, name)["Payload"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_runtimes_that_cannot_run_here_are_refused_by_name(aws, deploy_function, kind):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""
    name = deploy_function(ECHO, Runtime="nodejs22.x")
    with pytest.raises(ClientError) as error:
        run(aws, name, InvocationType=kind)
    assert "nodejs22.x" in error.value.response["Error"]["Message"]
