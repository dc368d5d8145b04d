"""The typed decoder never accepts what the diagnosis refuses, nor reads it otherwise; no body ends in a 5xx."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serinus.lambda_handlers.inference.fast_decoder import compile_converter, compile_decoder
from serinus.lambda_handlers.inference.rules import compile_rules
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.tensors import compile_encoder
from serinus.lambda_handlers.inference.validation_errors import check_rows, diagnose

pytestmark = pytest.mark.slow

NAMES = ["iris", "churn", "energy", "ratio"]
NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(2**65), 2**65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.sampled_from([3.4028234663852886e38, 3.5e38, 2**63 - 1, 2**63, -0.0, 5e-324, 1.0, 3.0]),
)
SCALARS = st.one_of(NUMBERS, st.none(), st.booleans(), st.text(max_size=6), st.sampled_from(["monthly", "north"]))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=4)


def likely(dtype: str) -> st.SearchStrategy[Any]:
    """Values that are mostly right, so that whole rows often are."""
    right: dict[str, st.SearchStrategy[Any]] = {
        "float32": NUMBERS,
        "float64": NUMBERS,
        "int64": NUMBERS,
        "bool": st.booleans(),
        "string": st.sampled_from(["monthly", "one year"]) | st.text(max_size=4),
    }
    return st.one_of(right[dtype], right[dtype], right[dtype], VALUES)


@st.composite
def bodies(draw: st.DrawFn, scorer: Scorer) -> bytes:
    features = scorer.model.manifest.signature.features
    values = [likely(f.dtype) if not f.shape else st.just([[1.0, 2], [3, 4]]) | VALUES for f in features]
    array = st.tuples(*values).map(list)
    record = array.map(lambda row: {f.name: value for f, value in zip(features, row, strict=True)})
    sparse = st.tuples(record, st.sets(st.sampled_from([f.name for f in features]), max_size=1)).map(
        lambda pair: {name: value for name, value in pair[0].items() if name not in pair[1]}
    )
    rows = draw(st.lists(record | array | sparse, min_size=1, max_size=3))
    return json.dumps({"rows": rows}).encode()


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_what_the_typed_decoder_accepts_the_diagnosis_reads_alike(
    scorers: dict[str, Scorer], name: str, data: st.DataObject
) -> None:
    body = data.draw(bodies(scorers[name]))
    signature = scorers[name].model.manifest.signature
    rules = compile_rules(signature)
    decode, encode = compile_decoder(rules), compile_encoder(signature)
    assert decode is not None
    try:
        rows = decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    fast, slow = encode(rows), encode(diagnose(body, rules, 20))
    for tensor in fast:
        assert fast[tensor].dtype == slow[tensor].dtype
        np.testing.assert_array_equal(fast[tensor], slow[tensor])


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_what_the_converter_accepts_the_diagnosis_reads_alike(
    scorers: dict[str, Scorer], name: str, data: st.DataObject
) -> None:
    rows = json.loads(data.draw(bodies(scorers[name])))["rows"]
    signature = scorers[name].model.manifest.signature
    rules = compile_rules(signature)
    convert, encode = compile_converter(rules), compile_encoder(signature)
    assert convert is not None
    try:
        converted = convert(rows)
    except msgspec.ValidationError:
        return
    fast, slow = encode(converted), encode(check_rows(rows, rules, 20))
    for tensor in fast:
        assert fast[tensor].dtype == slow[tensor].dtype
        np.testing.assert_array_equal(fast[tensor], slow[tensor])


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), True, "1", 2**1100])
def test_the_converter_refuses_what_only_parsed_rows_can_hold(scorers: dict[str, Scorer], value: Any) -> None:
    convert = compile_converter(compile_rules(scorers["energy"].model.manifest.signature))
    assert convert is not None
    with pytest.raises(msgspec.ValidationError):
        convert([[value, 3, True]])


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_rows_of_any_values_never_end_in_a_server_error(
    scorers: dict[str, Scorer], name: str, data: st.DataObject
) -> None:
    answer = scorers[name].predict(data.draw(bodies(scorers[name])), None)
    assert answer.status in (200, 422)


FRAGMENTS = st.sampled_from(
    [
        b'{"rows":',
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b'"tenure":',
        b'"contract":"monthly"',
        b"1e999",
        b"NaN",
        b"-",
        b'"\\ud800"',
    ]
)


@settings(deadline=None, max_examples=400)
@given(body=st.binary(max_size=60) | st.lists(FRAGMENTS | st.binary(max_size=3), max_size=12).map(b"".join))
def test_any_bytes_never_end_in_a_server_error_or_a_traceback(scorers: dict[str, Scorer], body: bytes) -> None:
    answer = scorers["churn"].predict(body, None)
    assert answer.status in (200, 400, 422)
    assert json.loads(answer.body)
    assert b"Traceback" not in answer.body
    assert b".py" not in answer.body
