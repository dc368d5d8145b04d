"""The bundle predicts edge cases as the source does or its signature refuses them, and the report says which."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PowerTransformer
from sklearn.semi_supervised import LabelPropagation

from serinus.cli.model_card_html import render
from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.inference.fast_decoder import compile_converter, compile_decoder
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.rules import FLOAT64_MAX, Rule
from serinus.lambda_handlers.inference.scoring import JSON, Response, Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import ParityError
from serinus.modelpack.request import PackageResult
from serinus.modelpack.robustness.report import ProbeCounts, Robustness
from serinus.modelpack.robustness.source_oracle import query_source

Package = Callable[..., PackageResult]
FLOAT32_MAX = float(np.finfo(np.float32).max)


def _lines(packed: PackageResult) -> dict[str, ProbeCounts]:
    assert packed.robustness is not None
    return {line.probe: line for line in packed.robustness.lines}


def _answer(packed: PackageResult, row: dict[str, Any]) -> Response:
    scorer = Scorer(open_model(packed.bundle, memory_mb=1769), Limits(), "1")
    return scorer.predict(json.dumps({"rows": [row]}).encode(), JSON)


def _outcomes(line: ProbeCounts) -> tuple[int, int, int, int]:
    return line.same, line.refused, line.differs, line.unguarded


def test_numbers_that_a_forest_refuses_are_refused_by_the_signature(
    numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    forest = RandomForestClassifier(8, random_state=0).fit(numbers, score > 0)
    packed = pack(forest, numbers)
    lines = _lines(packed)
    assert _outcomes(lines["number beyond float32"]) == (0, 36, 0, 0)
    assert _outcomes(lines["huge number"]) == (24, 0, 0, 0)
    assert _outcomes(lines["date as a number"]) == (36, 0, 0, 0)
    assert _outcomes(lines["infinite number"]) == (0, 12, 0, 0)
    row = numbers.iloc[0].to_dict()
    statuses = [_answer(packed, {**row, "a": value}).status for value in (FLOAT32_MAX, 1e39, -1e39)]
    assert statuses == [200, 422, 422]


def test_models_that_take_every_double_are_not_bounded(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    packed = pack(LogisticRegression().fit(numbers, score > 0), numbers)
    assert _outcomes(_lines(packed)["number beyond float32"]) == (36, 0, 0, 0)
    assert {(item.lowest, item.highest) for item in read_manifest(packed.bundle).signature.features} == {
        (None, None)
    }


def test_strings_and_missing_values(mixed: pd.DataFrame, score: Any, pack: Package) -> None:
    columns = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["a", "visits"]),
            ("open", OneHotEncoder(handle_unknown="ignore"), ["city"]),
            ("closed", OneHotEncoder(), ["plan"]),
        ]
    )
    table = mixed[["a", "visits", "city", "plan"]]
    packed = pack(make_pipeline(columns, LogisticRegression()).fit(table, score > 0), table)
    lines = _lines(packed)
    assert _outcomes(lines["unseen category"]) == (1, 1, 0, 0)
    assert lines["unseen category"].features == ("plan",)
    assert _outcomes(lines["empty string"]) == (1, 0, 0, 0)
    assert _outcomes(lines["spaces around a string"]) == (3, 0, 0, 0)
    assert _outcomes(lines["non-ASCII string"]) == (2, 0, 0, 0)
    assert lines["missing value"].same >= 2
    row = {"a": 1.0, "visits": 2, "city": "", "plan": "basic"}
    assert _answer(packed, row).status == 200
    assert _answer(packed, {**row, "plan": " basic"}).status == 422


def test_text_is_probed_as_documents(pack: Package) -> None:
    texts = np.array(["good fine nice", "bad awful poor", "good great", "poor bad"] * 10, dtype=object)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [text < "d" for text in texts])
    packed = pack(model, pd.DataFrame({"text": texts}))
    assert {line.probe for line in packed.robustness.lines if line.same} >= {  # type: ignore[union-attr]
        "empty string",
        "very long string",
        "non-ASCII string",
    }


def test_model_of_positive_numbers_refuses_others(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    """Box-Cox takes the logarithm: zero is where the source's answers end."""
    table = numbers.abs() + 0.1
    model = make_pipeline(PowerTransformer("box-cox"), LogisticRegression()).fit(table, score > 0)
    packed = pack(model, table)
    assert all(0 < (item.lowest or 0) <= 1e-30 for item in read_manifest(packed.bundle).signature.features)
    row = table.iloc[0].to_dict()
    assert [_answer(packed, {**row, "a": value}).status for value in (1e-5, 0.0, -1.0)] == [200, 422, 422]


def test_bound_is_where_the_answers_end_and_not_where_the_sample_does(pack: Package) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.uniform(0.5, 9.0, (200, 2)), columns=["a", "b"])
    model = make_pipeline(FunctionTransformer(np.log1p), Ridge()).fit(rows, rows["a"])
    packed = pack(model, rows)
    lowest = read_manifest(packed.bundle).signature.features[0].lowest
    assert lowest is not None
    assert -1.0 < lowest < -0.9
    assert _answer(packed, {"a": -0.9, "b": 2.0}).status == 200
    assert _answer(packed, {"a": -1.1, "b": 2.0}).status == 422


def test_a_kernel_that_vanishes_answers_rows_beside_the_sample(pack: Package) -> None:
    rows = pd.DataFrame({"a": np.arange(100.0), "b": 0.5})
    labels = np.where(np.arange(100) % 10, -1, np.arange(100) < 50)
    packed = pack(LabelPropagation().fit(rows, labels), rows)
    assert _answer(packed, {"a": -1.0, "b": 0.5}).status == 200
    assert _answer(packed, {"a": 101.0, "b": 0.5}).status == 200
    assert _answer(packed, {"a": 900.0, "b": 0.5}).status == 422


@pytest.fixture
def dishonest(monkeypatch: pytest.MonkeyPatch, numbers: pd.DataFrame, score: Any) -> Any:
    """A source that agrees with its graph on the sample, and not at twice its size."""
    model = Ridge().fit(numbers, score)
    honest = Ridge.predict

    def predict(self: Any, rows: Any) -> Any:
        return honest(self, rows) + np.where(np.abs(np.asarray(rows)).max(axis=1) > 90.0, 5.0, 0.0)

    monkeypatch.setattr(Ridge, "predict", predict)
    return model


def test_graph_that_differs_beyond_the_sample_is_refused(
    dishonest: Any, numbers: pd.DataFrame, pack: Package, tmp_path: Path
) -> None:
    with pytest.raises(
        ParityError, match=r"number beyond the sample -?1000?\.0 in 'a'.*--allow-fragile"
    ) as caught:
        pack(dishonest, numbers)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.onnx"))


def test_differences_pass_where_they_are_allowed_and_are_reported(
    dishonest: Any, numbers: pd.DataFrame, pack: Package
) -> None:
    packed = pack(dishonest, numbers, allow_fragile=True)
    line = _lines(packed)["number beyond the sample"]
    assert line.differs > 0
    assert set(line.features) == set("abcdef")
    card = (packed.bundle / "card.md").read_text()
    assert f"| number beyond the sample | {line.summary()} | a, b, c, d and 2 more |" in card


def test_report_is_whole_in_json_card_and_page_and_does_not_wobble(
    mixed: pd.DataFrame, score: Any, pack: Package
) -> None:
    table = mixed[["b", "visits"]]
    model = RandomForestClassifier(5, random_state=0).fit(table, score > 0)
    packed, again = pack(model, table), pack(model, table, dry_run=True)
    assert packed.robustness == again.robustness
    assert packed.version == again.version
    data = json.loads(json.dumps(packed.to_json()["robustness"]))
    assert Robustness.from_json(data) == packed.robustness
    assert data["bounds"]["b"] == {
        "lowest": -FLOAT32_MAX,
        "highest": FLOAT32_MAX,
        "why": "beyond, the source gives no finite answer",
    }
    for shown in ((packed.bundle / "card.md").read_text(), render(packed.bundle)):
        assert "number beyond float32" in shown
        assert "6 refused by the signature" in shown
        assert "3.4028235e+38" in shown


def test_wide_models_are_probed_in_part_and_bounded_in_whole(pack: Package) -> None:
    random = np.random.default_rng(5)
    table = pd.DataFrame(random.normal(size=(60, 40)), columns=[f"f{place}" for place in range(40)])
    packed = pack(RandomForestClassifier(4, random_state=0).fit(table, table["f0"] > 0), table)
    assert packed.robustness is not None
    assert packed.robustness.reason == "24 of 40 features were probed"
    assert {item.highest for item in read_manifest(packed.bundle).signature.features} == {FLOAT32_MAX}


class _Picky:
    """Refuses rows that hold a 7; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def predict(self, frame: pd.DataFrame) -> dict[str, Any]:
        self.calls += 1
        if (frame["a"] == 7).any():
            raise ValueError("no sevens\nplease")
        return {"value": frame["a"].to_numpy(dtype=np.float64)}


def test_the_row_that_is_refused_is_found_and_the_others_are_answered() -> None:
    frame = pd.DataFrame({"a": [0, 7, 2, 3, 7, 5, 6, 8]})
    groups = [np.arange(0, 4), np.arange(4, 8)]
    source: Any = _Picky()
    answers = query_source(source, frame, groups, {1})
    assert answers.refused == dict.fromkeys([1, 4, 5, 6, 7], "no sevens")
    assert answers.answered.tolist() == [0, 2, 3]
    assert answers.outputs["value"].tolist() == [0.0, 2.0, 3.0]
    assert source.calls == 7


@pytest.mark.parametrize(("lowest", "highest"), [(-5.0, None), (None, 5.0), (-5.0, 5.0)])
def test_bounds_hold_on_each_side_and_each_way_in(lowest: float | None, highest: float | None) -> None:
    rule = Rule("a", "number", -FLOAT64_MAX if lowest is None else lowest, highest or FLOAT64_MAX, None, False, ())
    decode, convert = compile_decoder([rule]), compile_converter([rule])
    assert decode is not None
    assert convert is not None
    for value, fits in ((-6.0, lowest is None), (6.0, highest is None), (5.0, True)):
        for read, given in ((decode, json.dumps({"rows": [[value]]}).encode()), (convert, [[value]])):
            if fits:
                assert read(given) == [(value,)]  # type: ignore[operator]
            else:
                with pytest.raises(msgspec.ValidationError):
                    read(given)  # type: ignore[operator]
