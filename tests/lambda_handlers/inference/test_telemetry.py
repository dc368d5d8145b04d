"""The log line of a request is valid EMF, tells what the judge reads, and keeps probes out of it."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from serinus.lambda_handlers.contract.prediction_bins import KEY, bins_between, bins_by_class
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.inference.gathering import Times
from serinus.lambda_handlers.inference.prediction_bins import compile_bins
from serinus.lambda_handlers.inference.problems import malformed_body
from serinus.lambda_handlers.inference.telemetry import Telemetry, is_probe, measure_init_ms, other_qualifier

NOW_MS = 1_790_000_000_000


def telemetry(init_ms: float | None = None, bin_of: Callable = lambda outputs: 3) -> Telemetry:
    identity = ("shop-dev-churn", "7", "churn", "3f2a9c0011aa")
    return Telemetry(identity, init_ms=init_ms, bin_of=bin_of, bins="3f2a9c81")


def line(writer: Telemetry, status: int = 200, **more) -> dict:
    options = {"invocation_id": "invocation-1", "non_finite": False, "probe": False, "qualifier": None} | more
    options |= {"times": Times(NOW_MS, NOW_MS, NOW_MS)}
    data = writer.lines("request-1", status, 8.25, **options)
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    return json.loads(data)


def metrics(document: dict, *more: str) -> dict[str, float]:
    """What CloudWatch extracts, by the specification, for function, version and dimensions ``more``: every metric
    named must be there, a number, and every dimension, a text."""
    found = {}
    for directive in document["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == "Serinus"
        (dimensions,) = directive["Dimensions"]
        assert all(isinstance(document[name], str) for name in dimensions)
        named = {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}
        assert all(isinstance(value, int | float) for value in named.values())
        if dimensions == ["FunctionName", "FunctionVersion", *more]:
            found |= named
    return found


def test_an_answered_request_counts_as_such_under_its_version():
    document = line(telemetry())
    assert document["_aws"]["Timestamp"] == NOW_MS
    assert (document["FunctionName"], document["FunctionVersion"]) == ("shop-dev-churn", "7")
    assert (document["ModelVersion"], document["RequestId"], document["Status"]) == (
        "3f2a9c0011aa",
        "request-1",
        200,
    )
    assert document["InvocationId"] == "invocation-1"
    assert metrics(document) == {"Latency": 8.25, "Errors": 0, "Rejected": 0, "NonFinite": 0, "First": 1}


@pytest.mark.parametrize(
    ("status", "metric"),
    [(500, "Errors"), (503, "Errors"), (400, "Rejected"), (413, "Rejected"), (415, "Rejected"), (422, "Rejected")],
)
def test_errors_and_rejections_are_told_apart(status, metric):
    found = metrics(line(telemetry(), status))
    assert [name for name in ("Errors", "Rejected", "NonFinite") if found[name]] == [metric]


def test_a_rejection_is_counted_by_its_reason_too_and_nothing_else_is():
    writer = telemetry()
    writer.refused(malformed_body("no JSON"))
    rejected = line(writer, 400)
    assert metrics(rejected, "Outcome") == {"Rejected": 1}
    assert rejected["Outcome"] == "malformed-body"
    assert metrics(line(telemetry()), "Outcome") == {}


def test_rows_and_model_time_are_told_of_what_the_graph_ran_only():
    writer = telemetry()
    assert not {"Rows", "ModelTime"} & set(metrics(line(writer, 422)))
    writer.scored({}, [np.array([1.0, 2.0, 3.0])], 1.5)
    found = metrics(line(writer))
    assert (found["Rows"], found["ModelTime"]) == (3, 1.5)


@pytest.mark.parametrize("status", [404, 405])
def test_a_wrong_address_is_neither(status):
    found = metrics(line(telemetry(), status))
    assert found["Errors"] == found["Rejected"] == 0


def test_non_finite_outputs_are_counted():
    assert metrics(line(telemetry(), non_finite=True))["NonFinite"] == 1


def test_init_counts_into_the_first_requests_latency_only():
    writer = telemetry(init_ms=120.5)
    first, second = line(writer), line(writer)
    assert metrics(first)["Latency"] == 128.75
    assert metrics(first)["Init"] == 120.5
    assert not {"Init", "First"} & set(metrics(second))
    assert "First" not in metrics(first)
    assert metrics(second)["Latency"] == 8.25


def test_a_first_request_whose_init_no_caller_waited_for_counts_as_first():
    writer = telemetry()
    assert metrics(line(writer))["First"] == 1
    assert "First" not in line(writer)


def test_a_golden_request_takes_the_place_of_the_first():
    writer = telemetry()
    line(writer, probe=True)
    assert "First" not in line(writer)


def test_a_noted_prediction_is_told_with_its_answer_and_forgotten():
    writer = telemetry()
    writer.scored({}, [np.array([1.0])], 1.5)
    predicted = line(writer)
    assert metrics(predicted, "Bins") == {"Prediction": 3}
    assert predicted["Bins"] == "3f2a9c81"
    assert "Prediction" not in metrics(predicted)
    assert not metrics(line(writer, 500), "Bins")
    writer.forget()
    assert not metrics(line(writer), "Bins")


def test_a_request_to_another_qualifier_is_logged_without_metrics():
    document = line(telemetry(), qualifier="6")
    assert "_aws" not in document
    assert document["Qualifier"] == "6"


ARN = "arn:aws:lambda:us-east-1:123456789012:function:shop-dev-churn"


@pytest.mark.parametrize(
    ("arn", "alias", "qualifier"),
    [
        (f"{ARN}:live", "live", None),
        (f"{ARN}:6", "live", "6"),
        (f"{ARN}:beta", "live", "beta"),
        (f"{ARN}:$LATEST", "live", "$LATEST"),
        (ARN, "live", None),
        (f"{ARN}:6", None, None),
    ],
)
def test_requests_to_another_qualifier_are_not_the_endpoints(arn, alias, qualifier):
    assert other_qualifier(SimpleNamespace(invoked_function_arn=arn), alias) == qualifier


def test_a_context_without_an_arn_hides_no_request():
    assert other_qualifier(None, "live") is None


def test_a_golden_request_is_logged_without_metrics():
    document = line(telemetry(init_ms=100.0), probe=True)
    assert "_aws" not in document
    assert document["Probe"] is True


@pytest.mark.parametrize(("stage", "expected"), [("serinus-probe", True), ("live", False)])
def test_golden_requests_are_known_by_their_stage(stage, expected):
    assert is_probe({"requestContext": {"stage": stage}}) is expected
    assert is_probe({"requestContext": {}}) is False


@pytest.mark.parametrize("kind", ["snap-start", "provisioned-concurrency"])
def test_init_that_no_caller_waited_for_is_not_measured(kind):
    assert measure_init_ms({"AWS_LAMBDA_INITIALIZATION_TYPE": kind}) is None


def test_init_is_measured_from_the_process_start():
    measured = measure_init_ms({})
    assert measured is None or measured > 0


def signature(output: Output, classes=None) -> Signature:
    tensors = (Tensor("X", "float32", ("a",)),)
    return Signature("classification", (Feature("a", "float32"),), tensors, (output,), classes)


def test_a_label_falls_into_its_classs_bin_and_late_classes_share_the_last():
    label = Output("label", "string", "label", (None,))
    bins = bins_by_class("label", "abcdefghijkl").to_json()
    place = compile_bins(signature(label, tuple("abcdefghijkl")), {KEY: bins})
    found = [place([np.array([name, "a"], dtype=object)]) for name in "abjl?"]
    assert found == [1, 2, 512, 512, None]


def test_a_number_falls_between_the_edges_and_on_an_edge_above_it():
    bins = bins_between("y", range(1, 10)).to_json()
    place = compile_bins(signature(Output("y", "float32", "value", (None, 1))), {KEY: bins})
    found = [place([np.array([[value], [0.0]], dtype=np.float32)]) for value in (-5.0, 1.0, 5.5, 99.0, np.nan)]
    assert found == [1, 2, 32, 512, None]


def test_outputs_of_other_kinds_have_no_bin():
    place = compile_bins(signature(Output("z", "float32", "tensor", (None, 4))), {})
    assert place([np.zeros((1, 4))]) is None
