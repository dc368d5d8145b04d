"""The baseline of a version that passed its check reaches the collector; no release fails because it does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from serinus.lambda_handlers.contract.monitored import Column, Monitored
from serinus.lambda_handlers.hooks import publish_reference as module
from serinus.lambda_handlers.hooks.before_traffic import respond
from serinus.lambda_handlers.hooks.first_release import _check
from serinus.lambda_handlers.hooks.publish_reference import ATTEMPTS, publish_reference

#: By stream: at most the edge, missing, below, above.
BANDS = ((0.3, 0.7), (0.0, 0.05), (0.0, 0.05), (0.0, 0.05))
COLUMN = Column("a", "input", "number", 1, 8, (4, 0, 0, 0), BANDS, (3.0,), 0.0, 7.0)
MONITORED = Monitored("sample", (COLUMN,), {})
ENVIRON = {"SERINUS_COLLECTOR": "shop-prod-shared-collector", "SERINUS_FUNCTION": "shop-prod-churn"}


class Collector:
    """Lambda: takes what is sent to the collector, after some failures, and passes the rest on."""

    def __init__(self, failures: tuple[Exception, ...] = (), others: Any = None) -> None:
        self.failures, self.others = list(failures), others
        self.received: list[dict[str, Any]] = []
        self.attempts = 0

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        if parameters["FunctionName"] != ENVIRON["SERINUS_COLLECTOR"]:
            result: dict[str, Any] = self.others.invoke(**parameters)
            return result
        assert parameters["InvocationType"] == "Event"
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        self.received.append(json.loads(parameters["Payload"]))
        return {"StatusCode": 202}


def denied() -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yet"}}, "Invoke")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with a baseline."""
    (tmp_path / "baseline.json").write_text(json.dumps({"monitoring": MONITORED.to_json()}))
    return tmp_path


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)


def test_the_monitored_columns_are_sent_with_the_name_of_the_function(bundle: Path) -> None:
    collector = Collector()
    publish_reference(collector, ENVIRON, bundle)
    (event,) = collector.received
    assert event["function"] == "shop-prod-churn"
    assert Monitored.from_json(event["reference"]) == MONITORED


def test_nothing_is_sent_where_no_collector_is_named(bundle: Path) -> None:
    collector = Collector()
    publish_reference(collector, {"SERINUS_FUNCTION": "f"}, bundle)
    assert collector.attempts == 0


def test_a_failure_is_followed_by_another_attempt(bundle: Path) -> None:
    collector = Collector((denied(), EndpointConnectionError(endpoint_url="x")))
    publish_reference(collector, ENVIRON, bundle)
    assert len(collector.received) == 1


def test_a_collector_that_cannot_be_reached_is_logged_and_no_error(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collector = Collector(tuple(denied() for _ in range(9)))
    publish_reference(collector, ENVIRON, bundle)
    assert collector.attempts == ATTEMPTS
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["attempt"] for line in logged] == [1, 2, 3]
    assert "AccessDeniedException" in logged[0]["error"]


@pytest.mark.parametrize(
    ("baseline", "said"),
    [(None, "cannot be read"), ("{", "cannot be read"), ("[]", "cannot be read"), ("{}", "no columns")],
)
def test_a_baseline_without_columns_is_logged_and_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], baseline: str | None, said: str
) -> None:
    if baseline is not None:
        (tmp_path / "baseline.json").write_text(baseline)
    collector = Collector()
    publish_reference(collector, ENVIRON, tmp_path)
    assert collector.attempts == 0
    assert said in capsys.readouterr().out


@pytest.fixture
def monitored_release(release: Any) -> Any:
    """A release whose hooks know a collector."""
    release.functions = Collector(others=release.functions)
    release.environ["SERINUS_COLLECTOR"] = ENVIRON["SERINUS_COLLECTOR"]
    folder = Path(release.environ["SERINUS_MODEL_DIR"])
    (folder / "baseline.json").write_text(json.dumps({"monitoring": MONITORED.to_json()}))
    return release


def test_the_hook_before_traffic_publishes_after_a_check_that_passed(monitored_release: Any) -> None:
    release = monitored_release
    assert respond(release.hook_event, release, release.context)["status"] == "Succeeded"
    assert [event["function"] for event in release.functions.received] == [release.function]


def test_a_version_that_fails_its_check_publishes_nothing(monitored_release: Any) -> None:
    release = monitored_release
    release.functions.others.answers["7"] = lambda _event: {"statusCode": 500, "headers": {}, "body": "{}"}
    assert respond(release.hook_event, release, release.context)["status"] == "Failed"
    assert release.functions.received == []


def test_a_first_release_publishes_too(monitored_release: Any) -> None:
    release = monitored_release
    assert _check(release, release.context).passed
    assert [event["function"] for event in release.functions.received] == [release.function]


def test_a_release_succeeds_although_the_collector_is_missing(monitored_release: Any) -> None:
    release = monitored_release
    release.functions.failures = [denied() for _ in range(ATTEMPTS)]
    assert respond(release.hook_event, release, release.context)["status"] == "Succeeded"
