"""Nothing that disagrees, errs, dawdles or breaks callers gets past the hook, which always reports."""

import json
import re
import threading
import time
from types import SimpleNamespace

import pytest

from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.hooks import preflight, probe
from serinus.lambda_handlers.hooks.before_traffic import respond


def report(release):
    result = respond(release.hook_event, release, release.context)
    assert [one["status"] for one in release.codedeploy.reports] == [result["status"]]
    assert release.codedeploy.reports[0]["lifecycleEventHookExecutionId"] == "hook-1"
    return result


def test_a_version_that_answers_as_the_source_model_did_is_let_through(release):
    found = report(release)
    assert found["status"] == "Succeeded"
    assert "agrees with the source model on 8 golden rows" in found["reason"]


def test_wrong_answers_are_stopped(release, sum_bundle, serve):
    bundle = sum_bundle("wrong", golden_error=0.5)
    release.environ["SERINUS_MODEL_DIR"] = str(bundle)
    release.functions.answers["7"] = serve(bundle, "7")
    found = report(release)
    assert found["status"] == "Failed"
    assert "8 of 8 golden rows disagree" in found["reason"]


def test_a_version_that_serves_another_bundle_is_stopped(release, sum_bundle, serve):
    release.functions.answers["7"] = serve(sum_bundle("another"), "7")
    assert "x-serinus-model-version" in report(release)["reason"]


def test_an_answer_by_another_function_version_is_stopped(release, sum_bundle, serve):
    release.functions.answers["7"] = serve(sum_bundle("released"), "6")
    assert report(release)["status"] == "Failed"


def test_golden_requests_are_no_live_traffic(release):
    report(release)
    assert {event["requestContext"]["stage"] for _, event in release.functions.events} == {"serinus-probe"}


def test_golden_rows_are_sent_in_requests_that_the_endpoint_takes(release):
    release.environ["SERINUS_MAX_ROWS"] = "3"
    assert report(release)["status"] == "Succeeded"
    sizes = [len(json.loads(event["body"])["rows"]) for _, event in release.functions.events if event["body"]]
    assert sizes == [3, 3, 2]


def test_one_lost_worker_is_forgiven(release):
    right = release.functions.answers["7"]
    failures = [{"errorMessage": "Runtime exited", "errorType": "Runtime.ExitError"}]
    release.functions.answers["7"] = lambda event: failures.pop() if failures else right(event)
    assert report(release)["status"] == "Succeeded"


def test_a_version_that_keeps_crashing_is_stopped(release):
    release.functions.answers["7"] = lambda event: {"errorMessage": "Unable to import module", "errorType": "X"}
    found = report(release)
    assert found["status"] == "Failed"
    assert "Unable to import module" in found["reason"]


def test_a_version_that_answers_500_is_stopped(release):
    release.functions.answers["7"] = lambda event: {"statusCode": 500, "headers": {}, "body": "{}"}
    assert "it responded 500" in report(release)["reason"]


def test_what_is_no_http_answer_is_stopped(release):
    release.functions.answers["7"] = lambda event: {"hello": "world"}
    assert "not an HTTP response" in report(release)["reason"]


def test_a_version_that_answers_too_slowly_is_stopped(release):
    release.environ["SERINUS_WARM_LIMIT_MS"] = "0"
    release.functions.cold = False
    assert "3 attempts in a row failed; the last: a warm request took" in report(release)["reason"]


class Starts:
    """A version whose first starts take ``late_s`` each; ``starts`` are cold in all, and later requests warm."""

    def __init__(self, release, starts, late, late_s=1.2):
        self.release, self.starts, self.late, self.late_s = release, starts, late, late_s
        self.answer, self.lock = release.functions.answers["7"], threading.Lock()
        release.environ["SERINUS_COLD_LIMIT_MS"] = "1000"
        release.environ["SERINUS_WARM_LIMIT_MS"] = "29000"
        release.functions.answers["7"] = self

    def __call__(self, event):
        with self.lock:
            self.release.functions.cold = self.starts > 0
            self.starts -= 1
            self.late -= 1
            if self.late >= 0:
                time.sleep(self.late_s)
            return self.answer(event)


def test_a_version_that_starts_too_slowly_twice_is_stopped_though_it_is_quick_when_warm(release):
    Starts(release, starts=2, late=2)
    found = report(release)
    assert found["status"] == "Failed"
    assert re.search(
        r"a cold start took 1,\d+ ms; the limit is 1,000 ms, and the second took [\d,]+ ms", found["reason"]
    )


def test_a_first_start_that_waits_for_new_code_is_forgiven(release):
    Starts(release, starts=99, late=1)
    assert report(release)["status"] == "Succeeded"


def test_a_late_start_stands_where_no_second_one_can_be_seen(release):
    Starts(release, starts=1, late=1)
    found = report(release)
    assert (found["status"], "no second one was seen" in found["reason"]) == ("Failed", True)


def test_wrong_answers_after_a_forgiven_start_are_stopped(release, sum_bundle, serve):
    bundle = sum_bundle("late and wrong", golden_error=0.5)
    release.environ["SERINUS_MODEL_DIR"] = str(bundle)
    release.functions.answers["7"] = serve(bundle, "7")
    Starts(release, starts=99, late=1)
    assert "8 of 8 golden rows disagree" in report(release)["reason"]


NOT_READY = ("AccessDeniedException", "ResourceConflictException", "SnapStartNotReadyException")


@pytest.mark.parametrize("code", NOT_READY)
def test_a_version_that_lambda_is_not_ready_to_run_is_asked_again(release, passing_time, code):
    """Permissions and new versions take seconds to take effect."""
    answer = release.functions.answers["7"]

    def not_yet(event):
        if passing_time[0] < 20:
            raise release.functions.error("Invoke", code)
        return answer(event)

    release.functions.answers["7"] = not_yet
    assert report(release)["status"] == "Succeeded"
    assert passing_time[0] >= 20


@pytest.mark.parametrize("code", NOT_READY)
def test_a_version_that_is_never_ready_fails_in_time_to_say_so(release, passing_time, code):
    def never(_event):
        raise release.functions.error("Invoke", code)

    release.functions.answers["7"] = never
    found = report(release)
    assert found["status"] == "Failed"
    assert "the time for the check is up" in found["reason"]
    assert code in found["reason"]
    assert 40 < passing_time[0] < 60


@pytest.fixture
def passing_time(monkeypatch):
    """Seconds that have passed: sleeping passes them."""
    clock = [0.0]
    # In its stead, not in the module that all share: a cloud in this process would sleep by it for hours.
    fake = SimpleNamespace(
        monotonic=lambda: clock[0], sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds)
    )
    for module in (preflight, probe):
        monkeypatch.setattr(module, "time", fake)
    return clock


def test_a_throttled_version_is_asked_again_until_the_time_is_up(release, passing_time):
    release.functions.answers["7"] = release.functions.throttle
    found = report(release)
    assert found["status"] == "Failed"
    assert "the time for the check is up" in found["reason"]
    assert passing_time[0] > 40


def test_a_hook_that_lambda_runs_again_answers_the_same_and_once(release):
    found = [respond(release.hook_event, release, release.context) for _ in range(3)]
    assert found == found[:1] * 3
    assert [one["status"] for one in release.codedeploy.reports] == ["Succeeded"]


def test_a_signature_that_breaks_callers_is_refused(release, sum_bundle, serve):
    live = sum_bundle("wider", features=tuple(Feature(name, "float32") for name in "abc"))
    release.functions.answers["6"] = serve(live, "6")
    found = report(release)
    assert found["status"] == "Failed"
    assert "feature 'c' was removed" in found["reason"]


def test_a_signature_that_breaks_callers_passes_where_that_is_allowed(release, sum_bundle, serve, capsys):
    release.functions.answers["6"] = serve(sum_bundle("wider", features=(Feature("z", "float32"),)), "6")
    release.environ["SERINUS_ALLOW_BREAKING"] = "1"
    assert report(release)["status"] == "Succeeded"
    assert "feature 'z' was removed" in capsys.readouterr().out


def test_a_broken_live_version_does_not_block_its_mend(release, capsys):
    release.functions.answers["6"] = lambda event: {"errorMessage": "boom", "errorType": "X"}
    assert report(release)["status"] == "Succeeded"
    assert "was not compared" in capsys.readouterr().out


def test_a_hook_that_crashes_reports_failed_and_logs_why(release, capsys):
    del release.environ["SERINUS_FUNCTION"]
    found = report(release)
    assert found["status"] == "Failed"
    assert "SERINUS_FUNCTION is missing" in found["reason"]
    assert "Traceback" in capsys.readouterr().out


def test_a_deployment_of_another_alias_is_refused(release):
    release.environ["SERINUS_ALIAS"] = "other"
    assert "does not shift alias other" in report(release)["reason"]


def test_the_log_is_one_json_object_a_line(release, capsys):
    report(release)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["message"] == "hook succeeded"
