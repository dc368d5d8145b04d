"""Log lines are shown once, in order, readably, whatever is in them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serinus.cli import offline_process
from serinus.cli.commands.logs import LogLevel, LogOrigin, nothing_shown, printable, read_span, render, sources
from serinus.cli.errors import CliError
from serinus.cli.log_lines import LogEntry, iso, read_line
from serinus.cli.log_tail import LogFilter, LogSource, LogTail, find_log_group
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

FOLLOWED = "/aws/lambda/shop-local-churn"
REQUEST = {
    "FunctionName": "shop-local-churn",
    "FunctionVersion": "7",
    "ModelVersion": "3f2a9c0011aa",
    "RequestId": "11111111-aaaa-4aaa-8aaa-111111111111",
    "InvocationId": "22222222-bbbb-4bbb-8bbb-222222222222",
    "Route": "POST /predict",
    "Outcome": "answered",
    "Rows": 3,
    "ModelTime": 0.2,
    "Status": 200,
    "Latency": 1.25,
}
GATHERED = {
    "FunctionVersion": "7",
    "Requests": 3,
    "Latency": [1.25, 9.5, 1.75],
    "Errors": [0, 0, 0],
    "Route": "POST /predict",
    "Rows": [1, 4, 1],
    "ModelTime": [0.25, 7.0, 0.5],
}
#: Lines in Lambda's JSON format, as its documentation shows them and its runtime client writes them.
#: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
PYTHONS = {
    "timestamp": "2026-11-25T00:00:00Z",
    "level": "ERROR",
    "message": "request failed",
    "logger": "serinus.lambda_handlers.inference.scoring",
    "stackTrace": ['  File "/var/task/app.py", line 3, in handler\n    raise KeyError(1)\n'],
    "errorType": "KeyError",
    "requestId": REQUEST["InvocationId"],
}
REPORTED = {
    "time": "2026-11-25T00:00:00.000Z",
    "type": "platform.report",
    "record": {
        "requestId": REQUEST["InvocationId"],
        "metrics": {"durationMs": 3000.0, "billedDurationMs": 3000},
        "status": "timeout",
    },
}
ALL = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def line(**changes: Any) -> str:
    return json.dumps(REQUEST | changes)


def entry(text: str) -> LogEntry:
    return read_line(1_790_000_000.25, "function", text)


def test_a_requests_line_says_all_that_is_known_of_it() -> None:
    shown = render(entry(line()), with_source=False).plain
    assert shown.startswith(iso(1_790_000_000.25)[5:10])
    for part in ("INFO", "v7", "POST /predict", "3 rows", "1.2 ms", "200 answered"):
        assert part in shown
    assert entry(line()).to_json()["time"] == iso(1_790_000_000.25)


def test_a_line_of_several_requests_says_how_many_and_how_long_they_took() -> None:
    shown = render(entry(json.dumps(GATHERED)), with_source=False).plain
    for part in ("INFO", "v7", "POST /predict", "3 requests answered", "6 rows", "1.8 ms", "slowest 9.5 ms"):
        assert part in shown
    several = entry(json.dumps(GATHERED | {"Route": None}))
    assert "several routes" in render(several, with_source=False).plain
    assert (several.model_ms, several.to_json()["requests"]) == (0.5, 3)


def test_lines_of_lambdas_json_format_are_read() -> None:
    logged = entry(json.dumps(PYTHONS))
    assert (logged.level, logged.invocation_id) == ("ERROR", REQUEST["InvocationId"])
    assert logged.message.startswith("request failed logger=serinus.lambda_handlers.inference.scoring")
    assert "errorType=KeyError\n  File" in logged.message
    assert entry(json.dumps(PYTHONS | {"level": "WARNING"})).level == "WARNING"
    report = entry(json.dumps(REPORTED))
    assert (report.level, report.invocation_id) == ("ERROR", REQUEST["InvocationId"])
    assert "platform.report" in report.message
    assert "status=timeout durationMs=3000.0" in report.message
    started = {"time": "2026-11-25T00:00:00.000Z", "type": "platform.start", "record": {"requestId": "2222"}}
    assert entry(json.dumps(started)).level == "DEBUG"


def test_a_profile_line_is_for_the_monitor_and_shown_in_words() -> None:
    counted = {
        "Profile": 1,
        "FunctionVersion": "7",
        "Rows": 512,
        "Requests": 500,
        "Refused": 3,
        "Counts": [7] * 400,
    }
    profile = entry(json.dumps(counted | {"Environment": "k3j9x0ab"}))
    assert (profile.level, profile.version) == ("DEBUG", "7")
    assert profile.message == ("counted 512 rows for the monitor: 500 requests, 3 refused, environment k3j9x0ab")


def test_requests_without_a_line_of_their_own_are_counted_while_one_is_sought() -> None:
    log_filter = LogFilter(ALL, REQUEST["RequestId"])
    assert log_filter.select([entry(json.dumps(GATHERED))]) == []
    assert log_filter.nameless == 3
    said = nothing_shown(LogLevel.INFO, "10m", REQUEST["RequestId"], log_filter.nameless)
    assert 'set request_log = "all"' in said
    assert "request_log" not in nothing_shown(LogLevel.INFO, "10m", REQUEST["RequestId"], 0)
    assert "request" not in nothing_shown(LogLevel.INFO, "10m", None, 0)
    both = [entry(json.dumps(PYTHONS)), entry(line())]
    assert LogFilter(ALL, REQUEST["RequestId"]).select(both) == both


@pytest.mark.parametrize(("status", "level"), [(200, "INFO"), (422, "WARNING"), (500, "ERROR")])
def test_the_status_decides_a_requests_level(status: int, level: str) -> None:
    assert entry(line(Status=status)).level == level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("START RequestId: 22222222-bbbb-4bbb-8bbb-222222222222 Version: 7", "DEBUG"),
        ("REPORT RequestId: 22222222-bbbb-4bbb-8bbb-222222222222\tDuration: 2 ms\tStatus: timeout", "ERROR"),
        ("2026-11-25T00:00:00.000Z 2222 Task timed out after 3.00 seconds", "ERROR"),
        ("[WARNING]\t2026-11-25T00:00:00.000Z\t2222\tmind this", "WARNING"),
        ("[CRITICAL]\t2026-11-25T00:00:00.000Z\t2222\tit broke\nTraceback", "ERROR"),
        ('{"message": "verdict", "verdict": "roll back", "reason": "errors"}', "WARNING"),
        ('{"method": "POST", "status": "403", "responseType": "INVALID_API_KEY", "apiKeyId": "-"}', "WARNING"),
        ('{"method": "POST", "status": "200", "responseType": "-"}', "INFO"),
        ('{"message": "the hook crashed", "error": "Traceback"}', "ERROR"),
        ('{"level": "sly"', "INFO"),
        ("[1, 2]", "INFO"),
        ("", "INFO"),
    ],
)
def test_every_other_line_has_a_level_too(text: str, level: str) -> None:
    assert entry(text).level == level


def test_what_would_steer_a_terminal_is_not_passed_on() -> None:
    assert printable("\x1b[31mred\x1b[0m") == "red"
    assert "\x1b" not in printable("\x1b]0;title\x07 \x9b2J")


@pytest.mark.parametrize("wanted", [REQUEST["RequestId"], REQUEST["InvocationId"]])
def test_a_request_is_found_by_either_of_its_ids_with_what_was_logged_under_it(wanted: str) -> None:
    said = f"[ERROR]\t2026-11-25T00:00:00.000Z\t{REQUEST['InvocationId']}\tno such column"
    other = line(RequestId="33333333-cccc-4ccc-8ccc-333333333333", InvocationId="4")
    select = LogFilter(ALL, wanted).select([entry(said), entry(line()), entry(other)])
    assert [one.message or one.outcome for one in select] == ["no such column", "answered"]


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("10m", 600), ("1.5h", 5400), ("2d", 172_800)])
def test_a_span_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert read_span(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 minutes", "-5m"])
def test_what_is_no_span_is_refused_with_examples(text: str) -> None:
    with pytest.raises(CliError, match="10m"):
        read_span(text)


def test_all_functions_of_a_release_have_a_log() -> None:
    named = {source.name: source.group for source in sources("shop-dev-churn", LogOrigin.ALL)}
    assert named["function"] == "/aws/lambda/shop-dev-churn"
    assert named["before"] == "/aws/lambda/CodeDeployHook_before_shop-dev-churn"
    assert set(named) == {"function", "before", "judge", "after", "first", "retire", "access"}


class Writer:
    """Puts events into a log group, which it makes."""

    def __init__(self, logs: Any, group: str) -> None:
        self.logs, self.group = logs, group
        logs.create_log_group(logGroupName=group)
        for stream in ("a", "b"):
            logs.create_log_stream(logGroupName=group, logStreamName=stream)

    def put(self, stream: str, *events: tuple[float, str]) -> None:
        self.logs.put_log_events(
            logGroupName=self.group,
            logStreamName=stream,
            logEvents=[{"timestamp": int(at * 1000), "message": text} for at, text in events],
        )


@pytest.fixture
def logs() -> Iterator[Any]:
    """CloudWatch Logs; moto keeps its groups for all clouds of a process, so each test names its own."""
    with running(CloudConfig(port=0)) as cloud:
        yield cloud.client("logs")


def test_each_event_is_read_once_and_one_that_arrives_late_is_not_missed(logs: Any) -> None:
    tail = LogTail(logs, LogSource("function", "late"), since=time.time() - 60, lag_s=10)
    assert tail.read() == []  # the group does not exist yet
    writer, now = Writer(logs, "late"), time.time()
    writer.put("a", (now - 3, "first"), (now - 1, "third"))
    assert [one.message for one in tail.read()] == ["first", "third"]
    writer.put("b", (now - 2, "second, late"), (now - 1, "third"))
    assert [one.message for one in tail.read()] == ["second, late", "third"]
    assert tail.read() == []


def test_the_newest_log_that_outlived_its_stack_is_found(logs: Any) -> None:
    name = "/aws/lambda/shop-prod-kept"
    assert find_log_group(logs, name) == name
    for suffix in ("-judge/0a1b2c3d", "/11111111"):
        logs.create_log_group(logGroupName=f"{name}{suffix}")
    time.sleep(0.01)  # creation times have milliseconds
    logs.create_log_group(logGroupName=f"{name}/00000000")

    assert find_log_group(logs, name) == f"{name}/00000000"


def test_more_events_than_one_answer_holds_are_all_read(logs: Any) -> None:
    writer, now = Writer(logs, "many"), time.time()
    for part in range(3):
        writer.put("a", *((now - 1 + part / 10, f"{part} {number}") for number in range(5000)))
    tail = LogTail(logs, LogSource("function", "many"), since=now - 60, lag_s=10)
    assert len({one.message for one in tail.read()}) == 15_000
    assert tail.read() == []


@pytest.mark.slow
def test_following_loses_nothing_repeats_nothing_and_ends_quietly(
    serinus: Callable[..., Any], project: Path
) -> None:
    (project / "serinus.toml").write_text('[project]\nname = "shop"\n[endpoint.churn]\n')
    port = free_port()
    assert serinus("local", "up", "--port", str(port), "--speed", "60", cwd=project).returncode == 0
    try:
        target = CloudTarget(offline_process.find(project))
        target.client("cloudformation").create_stack(
            StackName="shop-local-churn",
            TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
        )
        writer = Writer(target.client("logs"), FOLLOWED)
        told = follow(project, target, writer)
    finally:
        serinus("local", "down", cwd=project)
    assert told == [f"line {number}" for number in range(200)]


def follow(project: Path, target: CloudTarget, writer: Writer) -> list[str]:
    """What `serinus logs --follow` printed of 200 lines that were written meanwhile."""
    from serinus.cli.context import cloud_time

    command = [sys.executable, "-m", "serinus", "logs", "churn", "--local", "--follow", "--since", "1d", "--json"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        try:
            assert following.stdout is not None
            for number in range(200):
                writer.put("ab"[number % 2], (cloud_time(target), f"line {number}"))
            told = [json.loads(following.stdout.readline())["message"] for _ in range(200)]
            os.kill(following.pid, signal.SIGINT)
            rest, said = following.communicate(timeout=60)
        finally:
            following.kill()
    assert following.returncode == 130
    assert (rest, said) == ("", "")
    return told
