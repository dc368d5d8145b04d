"""What a function and the platform write into CloudWatch Logs."""

import base64
import json
import re
import time

import pytest

PRINTER = (
    "import logging\nprint('at init')\n"
    "def handler(event, context):\n    print('hello', event['who'])\n"
    "    logging.getLogger().warning('careful')\n    return 1\n"
)


@pytest.fixture
def messages_of(aws):
    """Waits until a log group holds a message with ``until``; returns (messages, stream name)."""

    def read(group: str, until: str) -> tuple[list[str], str]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            events = []
            if aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
                events = aws("logs").filter_log_events(logGroupName=group)["events"]
            if any(until in event["message"] for event in events):
                return [event["message"] for event in events], events[0]["logStreamName"]
            time.sleep(0.02)
        raise AssertionError(f"{until!r} did not appear in {group}")

    return read


def test_lines_lie_between_start_and_end_and_report_follows(aws, deploy_function, messages_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html"""
    name = deploy_function(PRINTER)
    answer = aws("lambda").invoke(FunctionName=name, Payload=b'{"who": "bird"}')
    request_id = answer["ResponseMetadata"]["RequestId"]
    messages, stream = messages_of(f"/aws/lambda/{name}", "REPORT")
    start = messages.index(f"START RequestId: {request_id} Version: $LATEST\n")
    assert messages[start - 1] == "at init\n"
    assert any(message.startswith("INIT_START Runtime Version: python:3.13") for message in messages[:start])
    assert messages[start + 1] == "hello bird\n"
    assert re.fullmatch(rf"\[WARNING\]\t\S+Z\t{request_id}\tcareful\n", messages[start + 2])
    assert messages[start + 3] == f"END RequestId: {request_id}\n"
    assert re.fullmatch(
        rf"REPORT RequestId: {request_id}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n",
        messages[start + 4],
    )
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)


def test_init_is_billed(aws, deploy_function):
    """Source: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/"""
    name = deploy_function(PRINTER)
    answers = [aws("lambda").invoke(FunctionName=name, Payload=b'{"who": "x"}', LogType="Tail") for _ in range(2)]
    cold, warm = (base64.b64decode(answer["LogResult"]).decode() for answer in answers)
    figures = {key: float(value) for key, value in re.findall(r"([A-Z][A-Za-z ]+): ([\d.]+) ms", cold)}
    assert figures["Billed Duration"] >= figures["Duration"] + figures["Init Duration"]
    assert "Init Duration" not in warm


def test_log_tail_is_what_the_invocation_logged(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-LogType"""
    name = deploy_function("def handler(event, context):\n    print('x' * 5000)\n    print('last')\n")
    answer = aws("lambda").invoke(FunctionName=name, LogType="Tail")
    tail = base64.b64decode(answer["LogResult"])
    assert len(tail) <= 4096
    assert b"\nlast\nEND RequestId" in tail


def test_an_exception_is_one_event(aws, deploy_function, messages_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    name = deploy_function("def handler(event, context):\n    raise KeyError('egg')\n")
    aws("lambda").invoke(FunctionName=name)
    messages, _ = messages_of(f"/aws/lambda/{name}", "REPORT")
    event = next(message for message in messages if message.startswith("[ERROR] KeyError"))
    assert "Traceback (most recent call last):\n" in event


def test_a_log_group_of_ones_own_choice(aws, deploy_function, messages_of, unique_name):
    """A function may log to a group of its configuration.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """
    group = f"/birds/{unique_name('group')}"
    name = deploy_function(PRINTER, LoggingConfig={"LogGroup": group})
    aws("lambda").invoke(FunctionName=name, Payload=b'{"who": "x"}')
    _, stream = messages_of(group, "REPORT")
    assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{name}\[\$LATEST\][0-9a-f]{{32}}", stream)


def test_json_logs_have_platform_events(aws, deploy_function, messages_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html"""
    name = deploy_function(PRINTER, LoggingConfig={"LogFormat": "JSON"})
    answer = aws("lambda").invoke(FunctionName=name, Payload=b'{"who": "x"}')
    messages, _ = messages_of(f"/aws/lambda/{name}", "platform.report")
    events = [json.loads(message) for message in messages if message.startswith("{")]
    platform = {event["type"]: event["record"] for event in events if "type" in event}
    assert platform["platform.start"]["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert platform["platform.report"]["status"] == "success"
    assert platform["platform.report"]["metrics"]["memorySizeMB"] == 256
    assert platform["platform.initStart"]["initializationType"] == "on-demand"
    logged = next(event for event in events if event.get("message") == "careful")
    assert (logged["level"], logged["requestId"]) == ("WARNING", answer["ResponseMetadata"]["RequestId"])


FAILING = """
import os, time
def handler(event, context):
    print('{"hello": 1}', flush=True)
    if event == "slow":
        time.sleep(5)
    if event == "broken":
        os._exit(1)
"""


def test_system_logs_of_level_warn_are_those_of_failures(aws, deploy_function, messages_of):
    """At SystemLogLevel WARN only failures of the platform's events are logged; output of the function is.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    config = {"LogFormat": "JSON", "SystemLogLevel": "WARN", "ApplicationLogLevel": "INFO"}
    name = deploy_function(FAILING, LoggingConfig=config, Timeout=1)
    answer = aws("lambda").invoke(FunctionName=name, LogType="Tail", Payload=b'"fine"')
    assert b"platform." not in base64.b64decode(answer["LogResult"])
    for event in (b'"broken"', b'"slow"'):
        aws("lambda").invoke(FunctionName=name, Payload=event)
    messages, _ = messages_of(f"/aws/lambda/{name}", '"status":"timeout"')
    events = [json.loads(message) for message in messages if message.startswith("{")]
    reports = [event["record"]["status"] for event in events if event.get("type") == "platform.report"]
    assert reports == ["error", "timeout"]
    assert {event.get("type") for event in events} == {None, "platform.report"}
    assert len([event for event in events if event == {"hello": 1}]) == 3


def test_levels_need_the_json_format(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError, match="can only be set when LogFormat is JSON"):
        deploy_function(PRINTER, LoggingConfig={"LogFormat": "Text", "ApplicationLogLevel": "DEBUG"})


class LoggingFunction:
    """A function whose role may do to its log what ``actions`` say."""

    def __init__(self, aws, deploy_function, unique_name, actions: list[str]) -> None:
        role = unique_name("logging-role")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        arn = aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:logs:*:*:*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        aws("iam").put_role_policy(RoleName=role, PolicyName="logs", PolicyDocument=document)
        self.name = deploy_function(PRINTER, Role=arn["Role"]["Arn"])
        self.group = f"/aws/lambda/{self.name}"
        self.logs = aws("logs")
        self._functions = aws("lambda")

    def run(self) -> None:
        """Invoke, and wait until what it printed has arrived, if it does."""
        self._functions.invoke(FunctionName=self.name, Payload=b'{"who": "x"}')
        time.sleep(0.2)

    def has_group(self) -> bool:
        return bool(self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"])


ALL_THREE = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


def test_a_role_that_may_create_log_groups_gets_one(aws, deploy_function, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"""
    function = LoggingFunction(aws, deploy_function, unique_name, ALL_THREE)
    function.run()
    assert function.has_group()


def test_a_deleted_log_group_stays_deleted_without_the_permission_to_create_it(aws, deploy_function, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"""
    function = LoggingFunction(aws, deploy_function, unique_name, ALL_THREE[1:])
    function.logs.create_log_group(logGroupName=function.group)
    function.run()
    assert function.logs.filter_log_events(logGroupName=function.group)["events"]
    function.logs.delete_log_group(logGroupName=function.group)
    function.run()
    assert not function.has_group()
    function.logs.create_log_group(logGroupName=function.group)


@pytest.mark.parametrize("missing", ALL_THREE[1:])
def test_lines_that_the_role_may_not_write_are_dropped(aws, deploy_function, unique_name, missing):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"""
    function = LoggingFunction(aws, deploy_function, unique_name, [one for one in ALL_THREE if one != missing])
    function.logs.create_log_group(logGroupName=function.group)
    function.run()
    assert not function.logs.filter_log_events(logGroupName=function.group)["events"]
