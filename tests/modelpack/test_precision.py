"""Fewer bits: offered where they apply, taken where they agree, refused where they do not."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import KernelPCA
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serinus.lambda_handlers.contract.agreement import Agreement, compare
from serinus.lambda_handlers.contract.build import FUNCTION_CODE_BYTES
from serinus.lambda_handlers.contract.bundle import SHIPPED, read_golden, read_manifest
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack import candidates, precision
from serinus.modelpack.errors import HoldoutError, LayerLimitError, PrecisionError, RequestError
from serinus.modelpack.features import describe_features
from serinus.modelpack.layers.limits import LEAST_RUNTIME_BYTES
from serinus.modelpack.parity import predict_expected
from serinus.modelpack.precision import Measurement
from serinus.modelpack.request import PackageResult
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource

pytestmark = pytest.mark.slow

Package = Callable[..., PackageResult]
LOOSE = Tolerance(labels=0.9, atol=0.3, rtol=0.0)


@pytest.fixture
def network(numbers: pd.DataFrame, score: Any) -> Any:
    layers = MLPClassifier((64, 64), max_iter=40, random_state=0)
    return make_pipeline(StandardScaler(), layers.set_params(tol=1.0)).fit(numbers, score > 0)


def _table(packed: PackageResult) -> dict[str, Measurement]:
    return {line.precision: line for line in packed.precisions}


def test_network_is_measured_in_every_precision_and_one_is_shipped(
    network: Any, numbers: pd.DataFrame, pack: Package
) -> None:
    table = _table(pack(network, numbers))
    shipped = [line for line in table.values() if line.chosen]
    assert len(shipped) == 1
    assert shipped[0].agreement is not None
    assert shipped[0].agreement.agrees
    assert {"float16", "int8", "int8-dynamic", "int8-static", "int4"} <= set(table)
    assert all(line.agreement is not None and line.size_bytes for line in table.values())
    assert (
        (table["int4"].size_bytes or 0) < (table["float16"].size_bytes or 0) < (table["float32"].size_bytes or 0)
    )


@pytest.mark.parametrize("asked", ["float16", "int8", "int8-dynamic", "int8-static", "int4"])
def test_precision_asked_for_is_shipped_within_tolerance(
    asked: str, network: Any, numbers: pd.DataFrame, pack: Package
) -> None:
    packed = pack(network, numbers, precision=asked, tolerance=LOOSE)
    assert read_manifest(packed.bundle).precision == packed.precision == asked
    assert 0.0 < packed.parity.max_abs_difference <= 0.3


def test_precision_out_of_tolerance_is_refused_with_its_figures(
    network: Any, numbers: pd.DataFrame, pack: Package, tmp_path: Path
) -> None:
    with pytest.raises(PrecisionError, match=r"int4 is out of tolerance.*--atol"):
        pack(network, numbers, precision="int4")
    assert not list(tmp_path.rglob("*.onnx"))


def test_trees_are_told_that_nothing_changes(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    forest = RandomForestClassifier(5, random_state=0).fit(numbers, score > 0)
    packed = pack(forest, numbers)
    table = _table(packed)
    (said,) = {table[name].note for name in ("float32", "float16", "int8", "int8-dynamic", "int8-static", "int4")}
    assert said == (
        "changes nothing: trees hold no matrices to quantize; they are written as TreeEnsemble v5 (ai.onnx.ml 5)"
    )
    assert table["float64"].title == "float64, TreeEnsemble v5 (ai.onnx.ml 5)"
    card = (packed.bundle / "card.md").read_text()
    assert "| float64, TreeEnsemble v5 (ai.onnx.ml 5) | " in card
    assert f"| int4 |  |  |  | {said} |" in card
    with pytest.raises(PrecisionError, match="trees hold no matrices"):
        pack(forest, numbers, precision="int8")


def test_few_weights_and_doubles_are_told_why_nothing_changes(numbers: pd.DataFrame, pack: Package) -> None:
    table = _table(pack(LinearRegression().fit(numbers, numbers.sum(axis=1)), numbers))
    assert {table[name].note for name in ("int8", "int8-dynamic", "int8-static", "int4")} == {
        "changes nothing: no product by 256 or more weights is in single precision"
    }
    assert table["float16"].note == (
        "changes nothing: no tensor of 64 or more numbers is stored wider and read by no tree, comparison or "
        "ranking"
    )


def test_stored_neighbours_shrink_without_a_flip(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    rows = numbers + np.random.default_rng(2).normal(0.0, 1.0, numbers.shape)
    packed = pack(KNeighborsClassifier(3).fit(rows, score > 0), rows)
    assert packed.precision == "float32"
    assert packed.graph_bytes < 0.8 * (_table(packed)["float64"].size_bytes or 0)
    assert packed.parity.labels_equal == 1.0


def test_numbers_that_trees_compare_are_not_rounded(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    projection = KernelPCA(3, kernel="rbf", gamma=1e-3)
    packed = pack(
        make_pipeline(projection, GradientBoostingRegressor(n_estimators=5)).fit(numbers, score), numbers
    )
    assert packed.precision == "float64"
    assert _table(packed)["float16"].note.startswith("changes nothing")


def test_precision_that_is_none(network: Any, numbers: pd.DataFrame, pack: Package) -> None:
    with pytest.raises(RequestError, match="'int3' is not one of auto, float32"):
        pack(network, numbers, precision="int3")


def test_golden_rows_are_those_that_agree(network: Any, numbers: pd.DataFrame, pack: Package) -> None:
    packed = pack(network, numbers, precision="int4", tolerance=Tolerance(labels=0.5, atol=0.5, rtol=0.0))
    from serinus.modelpack.onnx_run import Runner
    from serinus.modelpack.sample import fit_to_model

    golden = read_golden(packed.bundle)
    sample = fit_to_model(pd.DataFrame(golden.rows), names=tuple(numbers.columns), count=None)
    got = Runner((packed.bundle / "model.onnx").read_bytes(), sample)(sample.frame)
    assert (got["label"] == np.array(golden.outputs["label"])).all()


def _line(name: str, size: int, latency_us: float, *, agrees: bool = True) -> Measurement:
    figures: Agreement = compare({"value": np.zeros(1)}, {"value": np.zeros(1)}, Tolerance())
    return Measurement(name, size, 1.0, latency_us, latency_us, replace(figures, agrees=agrees))


@pytest.mark.parametrize(
    ("others", "best"),
    [
        ([_line("float16", 850, 10.0)], "float32"),
        ([_line("float16", 500, 10.0), _line("int8", 250, 19.0)], "int8"),
        ([_line("float16", 500, 10.0), _line("int8", 250, 55.0)], "int8"),
        ([_line("float16", 500, 10.0), _line("int8", 250, 500.0)], "float16"),
        ([_line("float16", 500, 10.0), _line("int8", 250, 10.0, agrees=False)], "float16"),
        ([_line("float16", 500, 10.0), _line("int8", 450, 10.0)], "float16"),
    ],
)
def test_rule_takes_the_smallest_that_is_not_clearly_slower(others: list[Measurement], best: str) -> None:
    assert precision._select_best([_line("float32", 1000, 10.0), *others], 10_000) == best


def test_rule_takes_a_slow_one_where_the_plain_graph_is_too_large() -> None:
    table = [_line("float32", 1000, 10.0), _line("int8", 250, 500.0), _line("int4", 100, 500.0, agrees=False)]
    assert precision._select_best(table, 1000) == "float32"
    assert precision._select_best(table, 999) == "int8"


def test_advice_names_what_would_fit() -> None:
    table = (
        _line("float32", 1000, 1.0),
        _line("int8", 250, 1.0, agrees=False),
        _line("int4", 100, 1.0, agrees=False),
    )
    assert "int8, int4 would fit and are out of tolerance" in precision.advise_smaller(table, "float32", 300)
    assert "int4 would fit and is out of tolerance" in precision.advise_smaller(table, "float32", 200)
    assert precision.advise_smaller(table, "float32", 50) == ""


def test_model_too_large_for_lambda_is_refused_with_what_weighs_and_what_to_do(
    network: Any, numbers: pd.DataFrame, pack: Package, tmp_path: Path
) -> None:
    fits = pack(network, numbers, precision="float32").bundle
    weight = sum((fits / name).stat().st_size for name in SHIPPED) + LEAST_RUNTIME_BYTES + FUNCTION_CODE_BYTES
    pack(network, numbers, precision="float32", largest_unzipped_bytes=weight)
    shutil.rmtree(tmp_path / "project")
    with pytest.raises(
        LayerLimitError, match=r"Largest parts: runtime layer 80\.0 MB, function.*model.onnx"
    ) as caught:
        pack(network, numbers, precision="float32", largest_unzipped_bytes=weight - 1)
    assert re.search(r"(--precision \S+, which|float16.* would) fit", str(caught.value))
    assert (caught.value.size_bytes, caught.value.limit_bytes) == (weight, weight - 1)
    assert not list(tmp_path.rglob("*.onnx"))


def test_holdout_shows_both_and_gates_the_loss(
    network: Any, numbers: pd.DataFrame, score: Any, pack: Package, tmp_path: Path
) -> None:
    held = numbers.assign(y=score > 0).head(200)
    held.to_csv(tmp_path / "held.csv", index=False)
    settings = {"target": "y", "holdout": tmp_path / "held.csv", "tolerance": LOOSE}
    packed = pack(network, numbers.assign(y=score > 0), precision="float16", **settings)
    assert packed.holdout is not None
    assert set(packed.holdout["bundle"]) == {"accuracy", "auc", "brier", "log_loss"}
    assert packed.holdout["source"]["accuracy"] == network.score(numbers.head(200), score[:200] > 0)
    assert "| accuracy |" in (packed.bundle / "card.md").read_text()
    with pytest.raises(HoldoutError, match=r"on the holdout .* worse by more"):
        pack(network, numbers.assign(y=score > 0), precision="int4", max_loss=0.0, **settings)


def test_holdout_of_a_regressor(numbers: pd.DataFrame, score: Any, pack: Package, tmp_path: Path) -> None:
    table = numbers.assign(y=score)
    table.to_csv(tmp_path / "held.csv", index=False)
    model = LinearRegression().fit(numbers, score)
    packed = pack(model, table, target="y", holdout=tmp_path / "held.csv")
    assert packed.holdout is not None
    assert packed.holdout["bundle"]["r2"] == pytest.approx(model.score(numbers, score))


def test_dry_run_writes_nothing(numbers: pd.DataFrame, score: Any, pack: Package, tmp_path: Path) -> None:
    packed = pack(LinearRegression().fit(numbers, score), numbers, dry_run=True)
    assert packed.parity.agrees
    assert not list((tmp_path / "project").rglob("*.*"))


def test_graph_that_was_timed_under_load_is_timed_again_beside_the_plain_one(
    numbers: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LinearRegression().fit(numbers, numbers["a"])
    sample = fit_to_model(numbers, names=tuple(numbers.columns), count=None)
    source = SklearnSource(model)
    graph = next(iter(source.graphs(sample)))
    expected = predict_expected(source, sample, describe_features(source, sample))
    compared = candidates.Candidates(graph, sample, expected, Tolerance())
    plain = _line("float64", 1000, 10.0)
    slow = candidates.Candidate(_line("float16", 500, 500.0), graph.model)
    assert not compared._time_again(slow, plain).line.is_slower_than(plain)
    monkeypatch.setattr(candidates, "_time_us", lambda runner, feeds: 1.0)
    assert compared._time_again(slow, plain).line.one_row_us == 10.0
    differing = replace(slow, line=replace(slow.line, agreement=None))
    assert compared._time_again(differing, plain) is differing


def test_rule_takes_one_about_as_small_that_takes_half_the_time() -> None:
    plain, small = _line("float32", 1000, 1000.0), _line("int8", 250, 900.0)
    assert precision._select_best([plain, small, _line("int8-dynamic", 260, 300.0)], 10_000) == "int8-dynamic"
    assert precision._select_best([plain, small, _line("int8-dynamic", 260, 600.0)], 10_000) == "int8"
    assert precision._select_best([plain, small, _line("int8-dynamic", 400, 300.0)], 10_000) == "int8"
    tiny = [_line("float32", 1000, 40.0), _line("int8", 250, 40.0), _line("int8-dynamic", 260, 10.0)]
    assert precision._select_best(tiny, 10_000) == "int8"
