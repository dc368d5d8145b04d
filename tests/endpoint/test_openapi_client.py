"""A client that nobody here wrote and that knows the endpoint only by its OpenAPI document: schemathesis, which
calls every route over HTTP and holds each answer to what the document says of it."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi import checks

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("endpoint")]


PROMISES = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def document(deployed: Any) -> Any:
    answer = httpx.get(f"{deployed.url}/openapi.json", headers=deployed.headers, trust_env=False, timeout=30)
    assert answer.headers["cache-control"] == "private, max-age=60"
    return answer.json()


def test_the_document_names_the_base_path_that_callers_see(document, deployed):
    (server,) = document["servers"]
    assert deployed.url.endswith(server["url"])


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_every_route_answers_as_its_document_says(document, deployed, mode):
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        if mode is schemathesis.GenerationMode.NEGATIVE and operation.method.upper() == "GET":
            continue
        call_and_validate(operation.as_strategy(generation_mode=mode), deployed)


def call_and_validate(strategy: Any, deployed: Any) -> None:
    @settings(
        max_examples=12,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def call(case: Any) -> None:
        response = case.call(base_url=deployed.url, headers=deployed.headers)
        assert response.status_code < 500
        case.validate_response(response, checks=PROMISES)

    call()
