"""/explain of a deployed endpoint, over HTTP: values sum to the prediction and stay the same; limits hold."""

from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("endpoint")]


def post(deployed: Any, path: str, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{deployed.url}{path}", json=body, headers=deployed.headers, trust_env=False, timeout=60)


def test_values_sum_to_what_the_endpoint_predicts(deployed: Any) -> None:
    rows = deployed.rows[:3]

    answer = post(deployed, "/explain", {"rows": rows, "class": "leaves", "top": 1}).json()

    predicted = post(deployed, "/predict", {"rows": rows}).json()
    column = predicted["classes"].index("leaves")
    assert answer["version"] == predicted["version"]
    assert answer["features"] == ["tenure", "charge", "contract"]
    assert len(answer["explanations"]) == 3
    for explanation, probabilities in zip(answer["explanations"], predicted["probabilities"], strict=True):
        assert explanation["probability"] == pytest.approx(probabilities[column], rel=1e-6)
        total = explanation["base"] + sum(explanation["values"])
        assert total == pytest.approx(explanation["probability"], rel=1e-9)
        largest = max(range(3), key=lambda number: abs(explanation["values"][number]))
        (named,) = explanation["top"]
        assert named == {"feature": answer["features"][largest], "value": explanation["values"][largest]}


def test_a_row_has_the_same_explanation_in_every_request(deployed: Any) -> None:
    first, second = deployed.rows[:2]

    together = post(deployed, "/explain", {"rows": [first, second]}).json()
    alone = post(deployed, "/explain", {"rows": [second]}).json()

    assert together["explanations"][1] == alone["explanations"][0]


def test_too_many_rows_are_refused_with_the_limit(deployed: Any) -> None:
    answer = post(deployed, "/explain", {"rows": deployed.rows[:6]})

    assert answer.status_code == 413
    assert "6 rows; the limit is 5" in answer.json()["detail"]
