"""No hostile request ends in a 5xx, a leak, or another answer by the other way in: the quick part of
`scripts/bench fuzz`."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from serinus.lambda_handlers.inference.endpoint import Endpoint

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from fuzzing.attacks import attacks
from fuzzing.described import examples, read_document, strategies
from fuzzing.target import Finding, Request, fire

pytestmark = pytest.mark.slow

EXAMPLES = 40


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def both_ways(churn: Path, open_endpoints: Callable[..., Endpoint]) -> tuple[Endpoint, Endpoint]:
    return open_endpoints(churn, SERINUS_DOCS="1"), open_endpoints(churn, SERINUS_DOCS="1", SERINUS_HOT_ROUTE="0")


def test_attacks_by_hand_have_a_defined_answer_the_same_by_both_ways(both_ways):
    hot, face = both_ways
    tried = list(attacks("churn", examples(read_document(hot))))
    assert len(tried) > 1500
    for request in tried:
        assert fire(hot, request) == fire(face, request) == fire(hot, request, http_api=True), request


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("path", ["/predict", "/v2/models/churn/infer", "/invocations"])
def test_requests_made_from_the_openapi_document_have_a_defined_answer(both_ways, path, mode):
    strategy = strategies(read_document(both_ways[0]))[f"POST {path}", mode]
    statuses = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(request=strategy)
    def ask(request: Request) -> None:
        statuses.add(fire(both_ways[0], request))

    ask()
    assert 200 in statuses if mode == "positive" else statuses & {400, 422}


def test_every_route_in_the_document_answers(both_ways):
    for (operation, mode), strategy in strategies(read_document(both_ways[0])).items():
        if operation.startswith("GET") and mode == "positive":
            assert_answered(both_ways, strategy)


def assert_answered(both_ways: tuple[Endpoint, Endpoint], strategy: st.SearchStrategy[Request]) -> None:
    @settings(max_examples=1, derandomize=True, deadline=None, database=None)
    @given(request=strategy)
    def ask(request: Request) -> None:
        assert [fire(endpoint, request) for endpoint in both_ways] == [200, 200]

    ask()


@pytest.mark.parametrize(
    "change",
    [
        {"statusCode": 500},
        {"body": "{}"},
        {"body": '{"status": 422, "detail": "Traceback (most recent call last)"}'},
        {"headers": {}},
    ],
)
def test_an_answer_that_breaks_a_promise_is_found(both_ways, change):
    def broken(event, context):
        answer = {**both_ways[0](event, context), **change}
        headers = {**answer["headers"], "content-length": str(len(answer["body"]))}
        return {**answer, "headers": headers if answer["headers"] else {}}

    with pytest.raises(Finding):
        fire(broken, Request("POST", "/predict", {}, b"{}"))
