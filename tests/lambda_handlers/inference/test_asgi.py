"""What the FastAPI face adds to predictions: reports, documentation and errors of routing."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest

from serinus.lambda_handlers.inference.endpoint import Endpoint
from serinus.lambda_handlers.inference.errors import BadSetting

ALL_HEADERS = {"content-type", "content-length", "cache-control"} | {
    f"x-serinus-{name}" for name in ("model", "model-version", "function-version")
}


@pytest.fixture(scope="module")
def churn_endpoint(churn: Path, open_endpoints: Callable[..., Endpoint]) -> Endpoint:
    return open_endpoints(churn, SERINUS_DOCS="1")


def ask(endpoint: Endpoint, method: str, path: str, *, stage: str = "live") -> dict[str, Any]:
    event = {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {},
        "pathParameters": {"proxy": path[1:]},
        "requestContext": {"path": f"/{stage}{path}", "stage": stage},
        "body": None,
    }
    return endpoint(event, None)


def test_health_names_the_model(churn_endpoint: Endpoint) -> None:
    answer = ask(churn_endpoint, "GET", "/health")
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["status"] == "ok"
    assert set(answer["headers"]) == ALL_HEADERS


def test_model_shows_signature_versions_and_limits(churn_endpoint: Endpoint) -> None:
    content = json.loads(ask(churn_endpoint, "GET", "/model")["body"])
    assert len(content["version"]) == 64
    assert content["limits"] == {"max_rows": 1000, "max_body_bytes": 4_000_000}
    assert content["versions"]["function"] == "7"
    assert [feature["name"] for feature in content["signature"]["features"]] == [
        "tenure",
        "charge",
        "contract",
        "region",
    ]


def test_unknown_routes_are_problems(churn_endpoint: Endpoint) -> None:
    answer = ask(churn_endpoint, "GET", "/predict/")
    assert answer["statusCode"] == 404
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert "/predict/ is not a route" in json.loads(answer["body"])["detail"]


@pytest.mark.parametrize(("method", "path", "allowed"), [("GET", "/predict", "POST"), ("POST", "/model", "GET")])
def test_wrong_methods_name_the_right_one(churn_endpoint: Endpoint, method: str, path: str, allowed: str) -> None:
    answer = ask(churn_endpoint, method, path)
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, allowed)
    assert f"this route accepts {allowed}" in json.loads(answer["body"])["detail"]


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_documentation_is_off_unless_set(iris: Path, open_endpoints: Callable[..., Endpoint], path: str) -> None:
    assert ask(open_endpoints(iris), "GET", path)["statusCode"] == 404


def openapi(endpoint: Endpoint) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ask(endpoint, "GET", "/openapi.json")["body"])
    return document


def test_openapi_is_for_the_address_that_callers_see(churn_endpoint: Endpoint) -> None:
    assert openapi(churn_endpoint)["servers"] == [{"url": "/live"}]


@pytest.mark.parametrize(
    ("auth", "wanted", "refused"),
    [
        ("api_key", {"api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"}}, {"403", "429"}),
        ("iam", {"sigv4": {"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"}}, {"403", "429"}),
        ("jwt", {"jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}, {"401", "403", "429"}),
        ("public", {}, {"429"}),
    ],
)
def test_openapi_says_how_callers_are_let_in(
    auth: str,
    wanted: dict[str, dict[str, str]],
    refused: set[str],
    iris: Path,
    open_endpoints: Callable[..., Endpoint],
) -> None:
    document = openapi(open_endpoints(iris, SERINUS_DOCS="1", SERINUS_AUTH=auth))
    schemes = document["components"]["securitySchemes"]
    assert {name: wanted[name].items() <= scheme.items() for name, scheme in schemes.items()} == dict.fromkeys(
        wanted, True
    )
    assert document["security"] == [{name: []} for name in wanted]
    assert document["paths"]["/health"]["get"]["responses"].keys() == {"200"} | refused
    openapi_spec_validator.validate(document)


def test_an_unknown_way_to_be_let_in_is_a_bad_setting(iris: Path, open_endpoints: Callable[..., Endpoint]) -> None:
    with pytest.raises(BadSetting, match="SERINUS_AUTH is 'oauth'; it must be one of api_key, iam, jwt, public"):
        open_endpoints(iris, SERINUS_AUTH="oauth")


def test_openapi_says_of_each_feature_what_scoring_accepts(churn_endpoint: Endpoint) -> None:
    row = openapi(churn_endpoint)["components"]["schemas"]["Row"]
    assert row["required"] == ["tenure", "contract"]
    assert row["properties"]["charge"]["type"] == ["number", "null"]
    assert row["properties"]["contract"]["enum"] == ["monthly", "one year", "two years"]
    assert "enum" not in row["properties"]["region"]
    assert row["properties"]["tenure"]["description"] == "Seen in training: 1 to 71."


@pytest.mark.parametrize("name", ["iris", "churn", "energy", "ratio"])
def test_openapis_example_is_real_and_fits_its_schemas(
    name: str, open_endpoints: Callable[..., Endpoint], request: pytest.FixtureRequest
) -> None:
    endpoint = open_endpoints(request.getfixturevalue(name), SERINUS_DOCS="1")
    document = openapi(endpoint)
    post = document["paths"]["/predict"]["post"]
    media = post["requestBody"]["content"]["application/json"]
    event = {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "requestContext": {"path": "/predict"},
        "body": json.dumps(media["example"]),
    }
    answer = json.loads(endpoint(event, None)["body"])
    assert answer == post["responses"]["200"]["content"]["application/json"]["example"]
    for schema, value in (("PredictRequest", media["example"]), ("PredictAnswer", answer)):
        jsonschema.validate(value, {"$ref": f"#/components/schemas/{schema}", **document})


@pytest.mark.parametrize("name", ["iris", "churn", "energy", "ratio"])
def test_every_example_in_openapi_is_answered_and_fits_its_schema(
    name: str, open_endpoints: Callable[..., Endpoint], request: pytest.FixtureRequest
) -> None:
    endpoint = open_endpoints(request.getfixturevalue(name), SERINUS_DOCS="1")
    document = openapi(endpoint)
    for path, route in document["paths"].items():
        for method, operation in route.items():
            for media, content in operation.get("requestBody", {"content": {None: {}}})["content"].items():
                if media and "example" not in content:
                    continue
                example = content.get("example")
                body = example if isinstance(example, str) else json.dumps(example)
                answer = endpoint(
                    {
                        "resource": path,
                        "path": path,
                        "httpMethod": method.upper(),
                        "headers": {"content-type": media} if media else {},
                        "requestContext": {"path": path},
                        "body": body if media else None,
                    },
                    None,
                )
                assert answer["statusCode"] == 200, (path, answer["body"])
                schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
                jsonschema.validate(json.loads(answer["body"]), {**schema, "components": document["components"]})
                if media == "application/json":
                    jsonschema.validate(example, {**content["schema"], "components": document["components"]})


def test_a_refusal_fits_openapis_problem(churn_endpoint: Endpoint) -> None:
    problem = json.loads(ask(churn_endpoint, "POST", "/predict")["body"])
    jsonschema.validate(problem, openapi(churn_endpoint)["components"]["schemas"]["Problem"])


def test_the_docs_page_needs_no_other_host(churn_endpoint: Endpoint) -> None:
    answer = ask(churn_endpoint, "GET", "/docs")
    page = answer["body"]
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?(?:https?:)?//""", page)
    policy = answer["headers"]["content-security-policy"]
    assert "default-src 'none'" in policy
    for tag in ("script", "style"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_docs_page_holds_the_openapi_document(churn_endpoint: Endpoint) -> None:
    page = ask(churn_endpoint, "GET", "/docs")["body"]
    (data,) = re.findall(r'<script type="application/json" id="openapi">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data) == openapi(churn_endpoint)


def test_an_error_in_the_face_is_a_problem_without_a_traceback(
    iris: Path,
    open_endpoints: Callable[..., Endpoint],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint = open_endpoints(iris, SERINUS_HOT_ROUTE="0")
    monkeypatch.setattr(endpoint.scorer, "function_version", object())
    answer = ask(endpoint, "GET", "/model")
    assert (answer["statusCode"], json.loads(answer["body"])["type"]) == (500, "urn:serinus:internal-error")
    assert set(answer["headers"]) == ALL_HEADERS
    assert "unsupported" in caplog.text
