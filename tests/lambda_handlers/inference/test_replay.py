"""The hot route and the FastAPI face answer every event with the same bytes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serinus.lambda_handlers.inference.endpoint import Endpoint

EVENTS = sorted((Path(__file__).parents[2] / "events").glob("*.json"))


@pytest.fixture(scope="module")
def both_ways(churn: Path, open_endpoints: Callable[..., Endpoint]) -> tuple[Endpoint, Endpoint]:
    hot = open_endpoints(churn, SERINUS_DOCS="1", SERINUS_MAX_BODY_BYTES="4000", SERINUS_MAX_ROWS="20")
    face = open_endpoints(
        churn, SERINUS_DOCS="1", SERINUS_MAX_BODY_BYTES="4000", SERINUS_MAX_ROWS="20", SERINUS_HOT_ROUTE="0"
    )
    return hot, face


def assert_same(both_ways: tuple[Endpoint, Endpoint], event: dict[str, Any]) -> dict[str, Any]:
    hot, face = (endpoint(event, None) for endpoint in both_ways)
    assert json.dumps(hot) == json.dumps(face)
    return hot


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_recorded_event_is_answered_alike(both_ways: tuple[Endpoint, Endpoint], path: Path) -> None:
    answer = assert_same(both_ways, json.loads(path.read_bytes()))
    assert answer["statusCode"] == expected_status(path.stem)
    assert answer["headers"]["x-serinus-model"] == "churn"
    assert answer["headers"]["x-serinus-function-version"] == "7"
    assert answer["isBase64Encoded"] == path.stem.endswith("_infer_binary")


def expected_status(name: str) -> int:
    by_ending = {
        "_invalid_rows": 422,
        "_not_json": 400,
        "_empty": 400,
        "_form": 415,
        "_wrong_media": 415,
        "_wrong_method": 405,
        "_unknown_route": 404,
    }
    return next((status for ending, status in by_ending.items() if name.endswith(ending)), 200)


BODIES = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(['{"rows":', '{"rows":[]}', '{"rows":[[1,2,"monthly","x"]]}', "[" * 3000, "x" * 5000]),
    st.builds(lambda rows: json.dumps({"rows": rows}), st.lists(st.integers(), max_size=30)),
)
CONTENT_TYPES = st.sampled_from(
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/csv",
        "",
        "application/json, text/csv",
        "ä",
        "gzip",
        "9",
    ]
)
HEADER_NAMES = st.sampled_from(
    [
        "Content-Type",
        "content-type",
        "CONTENT-TYPE",
        "Host",
        "X-Forwarded-Port",
        "Accept",
        "Accept-Encoding",
        "Content-Encoding",
        "Inference-Header-Content-Length",
    ]
)
HEADERS = st.none() | st.dictionaries(HEADER_NAMES, CONTENT_TYPES, max_size=4)
MULTI_HEADERS = st.none() | st.dictionaries(
    HEADER_NAMES, st.lists(CONTENT_TYPES, min_size=1, max_size=2), max_size=4
)
PATHS = st.sampled_from(
    [
        "/predict",
        "/live/predict",
        "/predict/",
        "/%70redict",
        "/",
        "/live",
        "/v2",
        "/v2/models/churn/infer",
        "/v2/models/other/infer",
        "/v2/models/churn/infer/",
        "/invocations",
        "/ping",
    ]
)


@st.composite
def rest_events(draw: st.DrawFn) -> dict[str, Any]:
    path = draw(PATHS)
    return {
        "resource": draw(st.sampled_from(["/{proxy+}", "/predict", "$default"])),
        "path": path,
        "httpMethod": draw(st.sampled_from(["POST", "POST", "GET", "OPTIONS"])),
        "headers": draw(HEADERS),
        "multiValueHeaders": draw(MULTI_HEADERS),
        "pathParameters": draw(st.sampled_from([None, {"proxy": "predict"}])),
        "requestContext": {"path": draw(st.sampled_from([path, f"/live{path}"])), "stage": "live"},
        "body": draw(BODIES),
        "isBase64Encoded": draw(st.booleans()),
    }


@st.composite
def http_events(draw: st.DrawFn) -> dict[str, Any]:
    path = draw(PATHS)
    return {
        "version": "2.0",
        "routeKey": draw(st.sampled_from(["$default", "ANY /{proxy+}", "POST /predict"])),
        "rawPath": path,
        "headers": draw(HEADERS),
        "pathParameters": draw(st.sampled_from([None, {"proxy": "predict"}])),
        "requestContext": {
            "stage": draw(st.sampled_from(["live", "$default"])),
            "http": {"method": draw(st.sampled_from(["POST", "POST", "DELETE"])), "path": path},
        },
        "body": draw(BODIES),
        "isBase64Encoded": draw(st.booleans()),
    }


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=rest_events() | http_events())
def test_generated_event_is_answered_alike(both_ways: tuple[Endpoint, Endpoint], event: dict[str, Any]) -> None:
    assert assert_same(both_ways, event)["statusCode"] < 500
