"""A version that answers otherwise than its acceptance test requires gets no traffic, though golden rows agree."""

import json

import pytest

from serinus.lambda_handlers.contract.acceptance import Acceptance, Requirement
from serinus.lambda_handlers.hooks.before_traffic import respond


def _row(a: float, b: float = 1.0) -> dict[str, float]:
    return {"a": a, "b": b}


def _release(release, sum_bundle, serve, *requirements: Requirement, rows: tuple[dict[str, float], ...]):
    bundle = sum_bundle("accepted", acceptance=Acceptance(rows, requirements))
    release.environ["SERINUS_MODEL_DIR"] = str(bundle)
    release.functions.answers["7"] = serve(bundle, "7")
    return respond(release.hook_event, release, release.context)


def test_requirements_that_hold_let_a_version_through(release, sum_bundle, serve):
    passed = _release(
        release,
        sum_bundle,
        serve,
        Requirement("row 1", "range", (0,), "value", None, None, 3.0, 3.0),
        Requirement("increasing in a", "increasing", (0, 1, 2), "value"),
        Requirement("a alone", "same", (2, 3), atol=1e-6),
        rows=(_row(2.0), _row(3.0), _row(4.0), _row(3.0, 2.0)),
    )
    assert passed["status"] == "Succeeded"
    assert "all 3 requirements of the acceptance test hold" in passed["reason"]


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        (Requirement("acceptance.csv row 1", "range", (0,), "value", least=9.0), "row 1: it is 3, and at least 9"),
        (Requirement("decreasing in a", "decreasing", (0, 1), "value"), "rises from 3 to 4, and decreasing is"),
        (Requirement("independent of a", "same", (0, 1), atol=1e-6), "value changes from 3 to 4, and the same is"),
    ],
)
def test_requirement_that_fails_stops_a_version(requirement, said, release, sum_bundle, serve):
    failed = _release(release, sum_bundle, serve, requirement, rows=(_row(2.0), _row(3.0)))
    assert failed["status"] == "Failed"
    assert said in failed["reason"]


def test_request_that_is_rejected_stops_a_version(release, sum_bundle, serve):
    requirement = Requirement("row 1", "range", (0,), "value", least=0.0)
    failed = _release(release, sum_bundle, serve, requirement, rows=({"a": 1.0, "c": 2.0},))
    assert failed["status"] == "Failed"
    assert "a request of the acceptance test is answered with 422" in failed["reason"]


def test_rows_are_sent_in_requests_that_the_endpoint_takes(release, sum_bundle, serve):
    release.environ["SERINUS_MAX_ROWS"] = "3"
    requirement = Requirement("increasing in a", "increasing", tuple(range(7)), "value")
    rows = tuple(_row(float(number)) for number in range(7))
    assert _release(release, sum_bundle, serve, requirement, rows=rows)["status"] == "Succeeded"
    sizes = [len(json.loads(event["body"])["rows"]) for _, event in release.functions.events if event["body"]]
    assert sizes == [3, 3, 2, 3, 3, 1]


def test_lost_worker_is_forgiven(release, sum_bundle, serve):
    bundle = sum_bundle(
        "lost", acceptance=Acceptance((_row(2.0),), (Requirement("r", "range", (0,), "value", least=0.0),))
    )
    release.environ["SERINUS_MODEL_DIR"] = str(bundle)
    right, calls = serve(bundle, "7"), []

    def answer(event):
        calls.append(event)
        lost = {"errorMessage": "Runtime exited", "errorType": "Runtime.ExitError"}
        return lost if len(calls) == 2 else right(event)  # the first request is golden

    release.functions.answers["7"] = answer
    assert respond(release.hook_event, release, release.context)["status"] == "Succeeded"


def test_bundle_without_a_test_holds_nothing_of_it(sum_bundle):
    golden = json.loads((sum_bundle("without") / "golden.json").read_text())
    assert set(golden) == {"rows", "outputs"}
