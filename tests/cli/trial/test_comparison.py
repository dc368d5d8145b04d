"""Predictions beside the source model's, whatever a model returns."""

import math

import pytest

from serinus.cli.trial.comparison import compare_rows
from serinus.lambda_handlers.contract.bundle import Golden, Manifest
from serinus.lambda_handlers.contract.signature import Output, Signature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.hooks.probe import Expectation

LABEL = Output("label", "string", "label", (None,))
SHARES = Output("probabilities", "float32", "probabilities", (None, 2))
VALUE = Output("variable", "float32", "value", (None, 1))
VECTOR = Output("embedding", "float32", "tensor", (None, 4))


def expect(outputs: tuple[Output, ...], golden: dict[str, list[object]]) -> Expectation:
    rows = len(next(iter(golden.values())))
    signature = Signature("classification", (), (), outputs, ("no", "yes"))
    manifest = Manifest("churn", "0" * 64, signature, "float32", Tolerance(), "sklearn")
    return Expectation(manifest, Golden(tuple({"a": row} for row in range(rows)), golden))


def test_a_classifier_has_label_and_probability() -> None:
    expected = expect((LABEL, SHARES), {"label": ["yes", "no"], "probabilities": [[0.25, 0.75], [0.5, 0.5]]})
    response = {"labels": ["yes", "yes"], "probabilities": [[0.25, 0.75], [0.375, 0.625]]}
    same, different = compare_rows(expected, response)
    assert (same.served, same.source, same.difference, same.equal) == ("yes 0.750000", "yes 0.750000", 0.0, True)
    assert (different.served, different.source) == ("yes 0.625000", "no 0.500000")
    assert (different.difference, different.equal) == (0.125, False)


def test_a_regressor_has_its_value_and_null_is_nan() -> None:
    expected = expect((VALUE,), {"variable": [[2.5], [None]]})
    first, second = compare_rows(expected, {"values": [2.0, None]})
    assert (first.served, first.source, first.difference) == ("2", "2.5", 0.5)
    assert (second.served, second.difference) == ("nan", 0.0)


def test_a_vector_is_shortened() -> None:
    expected = expect((VECTOR,), {"embedding": [[1.0, 2.0, 3.0, 4.0]]})
    (row,) = compare_rows(expected, {"outputs": {"embedding": [[1.0, 2.0, 3.0, 4.5]]}})
    assert (row.served, row.difference) == ("1 2 3 …", 0.5)


def test_a_prediction_that_only_one_side_has_differs() -> None:
    expected = expect((VALUE,), {"variable": [[1.0]]})
    (row,) = compare_rows(expected, {"values": [None]})
    assert math.isnan(row.difference)


def test_a_response_without_a_column_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks 'values'"):
        compare_rows(expect((VALUE,), {"variable": [[1.0]]}), {"labels": ["yes"]})
