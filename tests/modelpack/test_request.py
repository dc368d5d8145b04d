"""A request accepts what a notebook holds, and refuses the rest by name where it is written."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.errors import RequestError
from serinus.modelpack.package import check, package
from serinus.modelpack.request import PackageRequest


def request(**settings: Any) -> PackageRequest:
    return PackageRequest(**{"source": "m.joblib", "name": "churn", "sample": "s.csv", "project": ".", **settings})


def test_paths_may_be_text_and_lists_may_be_lists() -> None:
    written = request(drop=["age"], trust=["m.C"], holdout="h.csv", requirements="r.txt")
    assert (written.source, written.sample, written.project) == (Path("m.joblib"), Path("s.csv"), Path())
    assert (written.holdout, written.requirements) == (Path("h.csv"), Path("r.txt"))
    assert (written.drop, written.trust) == (("age",), ("m.C",))
    assert request(sample=None).sample is None
    assert PackageRequest.from_json(written.to_json()) == written


def test_numbers_may_be_numpys() -> None:
    written = request(max_loss=np.float32(0.5), largest_unzipped_bytes=np.int64(7), tolerance=Tolerance(atol=1))
    assert (type(written.max_loss), written.max_loss) == (float, 0.5)
    assert (type(written.largest_unzipped_bytes), written.largest_unzipped_bytes) == (int, 7)
    assert (type(written.tolerance.atol), written.tolerance.cosine) == (float, None)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(PackageRequest)])
@pytest.mark.parametrize("value", [object(), pd.DataFrame({"a": [1]}), b"x", {"a"}, 2j])
def test_a_field_of_another_type_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(TypeError, match=rf"^{field} is .*{type(value).__name__}; it must be "):
        request(**{field: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"drop": "age"}, r"drop is 'age', of type str; it must be a list or tuple of str: drop=\['age'\]\."),
        ({"trust": ["m.C", 1]}, r"trust is \['m\.C', 1\], of type list; it must be a list or tuple of str"),
        ({"name": None}, "name is None; it must be a str"),
        ({"target": 3}, "target is 3, of type int; it must be a str"),
        ({"dry_run": "no"}, "dry_run is 'no', of type str; it must be True or False"),
        ({"max_loss": True}, "max_loss is True, of type bool; it must be a number"),
        ({"max_loss": "0.1"}, "max_loss is '0.1', of type str; it must be a number"),
        ({"largest_unzipped_bytes": 1.5}, r"largest_unzipped_bytes is 1\.5, of type float; it must be an int"),
        ({"tolerance": {"atol": 1}}, r"tolerance is \{'atol': 1\}, of type dict; it must be a serinus\.Tolerance"),
        ({"tolerance": Tolerance(atol="1")}, r"tolerance\.atol is '1', of type str; it must be a number"),
        ({"source": object()}, "source is of type object; it must be the path of a saved model"),
    ],
)
def test_the_message_says_value_and_what_is_accepted(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}"):
        request(**settings)


@pytest.mark.parametrize("field", ["source", "sample", "project", "requirements", "holdout"])
@pytest.mark.parametrize("value", ["", "a\0b"])
def test_a_path_that_names_nothing_is_refused(field: str, value: str) -> None:
    with pytest.raises(RequestError, match=f"^{field} is "):
        request(**{field: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, 10**400])
@pytest.mark.parametrize("field", ["max_loss", "labels", "atol", "rtol", "cosine"])
def test_a_number_that_would_disable_a_gate_is_refused(field: str, value: float) -> None:
    settings = {"max_loss": value} if field == "max_loss" else {"tolerance": Tolerance(**{field: value})}
    if (field, value) == ("cosine", -0.1):
        return
    with pytest.raises(RequestError, match=r"max_loss|tolerance"):
        check(request(**settings))


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(TypeError, match=r"package\(\) takes a PackageRequest, not a str: package\("):
        package("model.joblib")  # type: ignore[arg-type]
