"""Compressed bodies in and out: bounded, defined, and only where the API can carry bytes."""

import base64
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.lambda_handlers.inference.encodings import decode_body
from serinus.lambda_handlers.inference.endpoint import Endpoint
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.negotiation import choose_media, weights

ROW = [5.1, 3.5, 1.4, 0.2]
BODY = json.dumps({"rows": [ROW] * 100}).encode()
# The time within would make names of tests differ between the processes that collect them.
GZIPPED = gzip.compress(BODY, mtime=0)


@pytest.fixture(scope="module", params=["1", "0"], ids=["hot route", "face"])
def endpoint(iris: Path, open_endpoints: Callable[..., Endpoint], request: pytest.FixtureRequest) -> Endpoint:
    return open_endpoints(iris, SERINUS_HOT_ROUTE=request.param, SERINUS_MAX_BODY_BYTES="100000")


def ask(
    endpoint: Endpoint, body: bytes, *, path: str = "/predict", binary: bool = True, **headers: str
) -> dict[str, Any]:
    event = {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "POST",
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "pathParameters": {"proxy": path[1:]},
        "requestContext": {"path": path, "stage": "live"},
        "body": base64.b64encode(body).decode() if binary else body.decode(),
        "isBase64Encoded": binary,
    }
    return endpoint(event, None)


def read(answer: dict[str, Any]) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(answer["body"])))


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", GZIPPED), ("X-Gzip", GZIPPED), ("deflate", zlib.compress(BODY))],
    ids=["gzip", "X-Gzip", "deflate"],
)
def test_a_compressed_body_is_answered_as_a_plain_one(endpoint, coding, body):
    plain, compressed = ask(endpoint, BODY), ask(endpoint, body, content_encoding=coding)
    assert (plain["statusCode"], plain) == (200, compressed)
    assert ask(endpoint, BODY, content_encoding="identity") == plain


def test_a_long_answer_is_compressed_for_who_takes_it(endpoint):
    plain = ask(endpoint, BODY)
    answer = ask(endpoint, BODY, accept_encoding="br;q=1.0, gzip;q=0.8")
    assert (answer["headers"]["content-encoding"], answer["headers"]["vary"]) == ("gzip", "accept-encoding")
    assert answer["isBase64Encoded"]
    assert (
        int(answer["headers"]["content-length"]) == len(base64.b64decode(answer["body"])) < len(plain["body"]) / 3
    )
    assert read(answer) == json.loads(plain["body"])


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip;q=0.0, *", "gzip;q=abc"])
def test_who_takes_no_gzip_gets_none(endpoint, accepted):
    answer = ask(endpoint, BODY, accept_encoding=accepted)
    assert ("content-encoding" in answer["headers"], answer["isBase64Encoded"]) == (False, False)
    assert answer["headers"]["vary"] == "accept-encoding"


def test_a_short_answer_stays_as_it_is(endpoint):
    answer = ask(endpoint, json.dumps({"rows": [ROW]}).encode(), accept_encoding="gzip")
    assert "content-encoding" not in answer["headers"]


def test_an_api_that_may_not_carry_bytes_gets_text(endpoint):
    answer = ask(endpoint, BODY, binary=False, accept_encoding="gzip")
    assert ("content-encoding" in answer["headers"], answer["isBase64Encoded"]) == (False, False)


def test_the_negotiated_form_is_told_to_caches_with_all_that_chose_it(endpoint):
    body = json.dumps({"instances": [ROW] * 100}).encode()
    answer = ask(endpoint, body, path="/invocations", accept_encoding="gzip")
    assert answer["headers"]["vary"] == "accept, accept-encoding"


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", BODY, 415),
        ("gzip, gzip", gzip.compress(GZIPPED, mtime=0), 415),
        ("gzip", BODY, 400),
        ("gzip", GZIPPED[:-9], 400),
        ("gzip", GZIPPED + b"more", 400),
        ("deflate", GZIPPED, 400),
        ("gzip", gzip.compress(b" " * 100_001, mtime=0), 413),
    ],
    ids=["unknown", "twice", "not at all", "cut off", "trailing bytes", "another coding", "too large"],
)
def test_a_body_that_does_not_unfold_has_a_defined_answer(endpoint, coding, body, status):
    answer = ask(endpoint, body, content_encoding=coding)
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (status, status)


def test_below_v2_it_is_told_as_the_protocol_wants(endpoint):
    answer = ask(endpoint, b"no gzip", path="/v2/models/iris/infer", content_encoding="gzip")
    assert "not valid gzip" in json.loads(answer["body"])["error"]


def test_a_bomb_costs_no_more_memory_than_the_limit():
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    with pytest.raises(Refused, match="decompresses to more than 100000"):
        decode_body(bomb, "gzip", 100_000)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 2_000_000


def test_weights_are_read_and_the_most_specific_range_decides():
    assert weights("A;q=0.5, b ;level=1;q=1.000,c;q=2") == {"a": 0.5, "b": 1.0, "c": 1.0}
    assert choose_media("text/*;q=0.3, */*;q=0.2", ("application/json", "text/csv")) == "text/csv"
    assert choose_media("text/csv;q=0, */*", ("text/csv", "application/json")) == "application/json"
