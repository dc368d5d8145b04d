"""Labels decide where rows do not agree: what is as good is shipped, said so, and still checked before traffic."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serinus.cli.model_card_html import render
from serinus.cli.package_report import print_result
from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.contract.signals import HEADER_FUNCTION_VERSION, HEADER_MODEL_VERSION
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.hooks.probe import Expectation, find_mismatch
from serinus.lambda_handlers.hooks.version import VersionResponse
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import JSON, Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import PrecisionError
from serinus.modelpack.label_changes import find_label_changes
from serinus.modelpack.labelled import choose_golden_rows, cover, is_undecided
from serinus.modelpack.request import PackageResult

pytestmark = pytest.mark.slow

Package = Callable[..., PackageResult]
COLUMNS = list("abcdef")


def _rows(seed: int, count: int) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(np.round(random.normal(0.0, 10.0, (count, 6)), 1), columns=COLUMNS)
    score = frame["a"] + frame["b"] * frame["c"] / 5 + random.normal(0.0, 5.0, count)
    return frame, score.to_numpy()


@pytest.fixture(scope="module")
def network() -> Any:
    frame, score = _rows(1, 1500)
    layers = MLPClassifier((96, 64), max_iter=30, random_state=0, tol=1.0)
    return make_pipeline(StandardScaler(), layers).fit(frame, score > 0)


@pytest.fixture
def holdout(tmp_path: Path) -> Path:
    frame, score = _rows(2, 3000)
    frame.assign(y=score > 0).to_csv(tmp_path / "held.csv", index=False)
    return tmp_path / "held.csv"


def _labelled_sample(count: int = 400) -> pd.DataFrame:
    frame, score = _rows(3, count)
    return frame.assign(y=score > 0)


@pytest.fixture
def by_labels(network: Any, pack: Package, holdout: Path) -> PackageResult:
    return pack(network, _labelled_sample(), target="y", holdout=holdout, max_loss=0.02)


def test_labels_let_a_quantized_graph_ship_that_rows_refuse(
    network: Any, pack: Package, by_labels: PackageResult
) -> None:
    line = next(line for line in by_labels.precisions if line.chosen)
    assert by_labels.precision in ("int8", "int4")
    assert line.agreement is not None
    assert not line.agreement.agrees
    assert line.verdict is not None
    assert (line.verdict.origin, line.verdict.rows) == ("holdout", 3000)
    assert all(loss.at_most <= 0.02 for loss in line.verdict.losses.values())
    strict = pack(network, _labelled_sample().drop(columns="y"))
    assert strict.precision in ("float32", "float16")
    assert by_labels.graph_bytes < 0.6 * strict.graph_bytes


def test_rows_without_labels_ship_as_before_and_the_report_says_what_labels_would_allow(
    network: Any, pack: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = pack(network, _labelled_sample().drop(columns="y"))
    assert "Labelled rows (--holdout FILE --target COLUMN) would show" in packed.advice
    assert "int8 0." in packed.advice
    assert all(line.verdict is None for line in packed.precisions)
    print_result(packed, packed.bundle.parents[2])
    assert "--holdout FILE" in capsys.readouterr().out
    assert "--holdout FILE" in (packed.bundle / "card.md").read_text()


def test_card_and_report_show_what_changed(
    network: Any, pack: Package, holdout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_labels = pack(network, _labelled_sample(), precision="int4", target="y", holdout=holdout, max_loss=0.1)
    line = next(line for line in by_labels.precisions if line.chosen)
    assert line.verdict is not None
    assert line.verdict.changes is not None
    summary = line.verdict.changes.summary()
    card = (by_labels.bundle / "card.md").read_text()
    assert (
        f"{by_labels.precision} differs from the source and is as good by 3000 labelled rows of\nthe holdout"
        in card
    )
    assert "| accuracy | " in card
    assert summary in card
    assert line.verdict.changes.changed > 0
    print_result(by_labels, by_labels.bundle.parents[2])
    printed = " ".join(capsys.readouterr().out.split())
    assert summary in printed
    first = line.verdict.changes.directions[0]
    assert f"{first.rows} from {first.before} to {first.after}: probability of {first.after}" in printed
    assert f"| {first.before} | {first.after} | {first.rows} | " in card


def test_result_survives_its_way_between_processes(by_labels: PackageResult) -> None:
    assert PackageResult.from_json(json.loads(json.dumps(by_labels.to_json()))) == by_labels


def test_few_labelled_rows_decide_nothing(network: Any, pack: Package, tmp_path: Path) -> None:
    frame, score = _rows(2, 90)
    frame.assign(y=score > 0).to_csv(tmp_path / "held.csv", index=False)
    packed = pack(network, _labelled_sample(), target="y", holdout=tmp_path / "held.csv", max_loss=0.5)
    assert packed.precision in ("float32", "float16")
    notes = {line.precision: line.note for line in packed.precisions}
    assert "90 labelled rows are too few" in notes["int4"]


def test_interval_decides_and_not_the_point_estimate(network: Any, pack: Package, tmp_path: Path) -> None:
    # Of 150 rows none may change its label, and the loss may still be 1.8 %.
    frame, score = _rows(2, 150)
    frame.assign(y=score > 0).to_csv(tmp_path / "held.csv", index=False)
    packed = pack(network, _labelled_sample(), target="y", holdout=tmp_path / "held.csv", max_loss=0.01)
    for line in packed.precisions:
        if line.verdict is not None:
            assert line.verdict.losses["accuracy"].at_most > 0.01
            assert not line.is_equal


def test_labels_of_the_sample_count_half_and_say_so(network: Any, pack: Package) -> None:
    packed = pack(network, _labelled_sample(3000), target="y", max_loss=0.04)
    line = next(line for line in packed.precisions if line.chosen)
    assert packed.precision in ("int8", "int4")
    assert line.verdict is not None
    assert (line.verdict.origin, line.verdict.allowed) == ("sample", 0.02)
    assert any("In rows that trained the model fewer labels change" in notice for notice in packed.notices)
    assert "the sample, which may be training data" in (packed.bundle / "card.md").read_text()


def test_precision_asked_for_is_accepted_by_labels_or_refused_with_their_reason(
    network: Any, pack: Package, holdout: Path
) -> None:
    packed = pack(network, _labelled_sample(), precision="int8", target="y", holdout=holdout, max_loss=0.02)
    assert packed.precision == "int8"
    with pytest.raises(
        PrecisionError, match=r"out of tolerance: \w+ may be worse by .* on 3000 rows of the holdout"
    ):
        pack(network, _labelled_sample(), precision="int4", target="y", holdout=holdout, max_loss=0.0)


def test_regressor_is_judged_by_its_errors(pack: Package, tmp_path: Path) -> None:
    frame, score = _rows(1, 1500)
    model = make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(64, 64), random_state=0, tol=1e9, n_iter_no_change=40)
    ).fit(frame, score)
    held, truth = _rows(2, 1000)
    held.assign(y=truth).to_csv(tmp_path / "held.csv", index=False)
    sample, target = _rows(3, 400)
    packed = pack(model, sample.assign(y=target), target="y", holdout=tmp_path / "held.csv", max_loss=0.02)
    line = next(line for line in packed.precisions if line.chosen)
    assert packed.precision in ("int8", "int4")
    assert line.verdict is not None
    assert set(line.verdict.losses) == {"rmse", "mae", "r2"}
    assert line.verdict.changes is None


def _respond(bundle: Path, expected: Expectation) -> VersionResponse:
    """The response of the code that serves to the golden requests."""
    model = open_model(bundle, memory_mb=1769)
    response = Scorer(model, Limits(max_rows=1000), "0").predict(
        json.dumps({"rows": list(expected.golden.rows)}).encode(), JSON
    )
    headers = {HEADER_MODEL_VERSION: expected.manifest.short_version, HEADER_FUNCTION_VERSION: "7"}
    return VersionResponse(response.status, headers, response.body, 1.0, cold=False)


def test_accepted_bundle_passes_its_own_golden_check(by_labels: PackageResult) -> None:
    expected = Expectation.read(by_labels.bundle)
    assert expected.manifest.tolerance.labels == 1.0
    assert expected.manifest.tolerance.atol > Tolerance().atol
    assert len(expected.golden.rows) >= 16
    for start in range(0, len(expected.golden.rows), 5):
        part = expected.slice(start, 5)
        assert find_mismatch(_respond(by_labels.bundle, part), part, "7") is None


@pytest.mark.parametrize("precision", ["float16", "int8-dynamic", "int8-static", "int4"])
def test_every_precision_passes_its_own_golden_check(
    precision: str, network: Any, pack: Package, holdout: Path
) -> None:
    bundle = pack(
        network,
        _labelled_sample(),
        precision=precision,
        target="y",
        holdout=holdout,
        max_loss=0.2,
        allow_fragile=True,
    ).bundle
    expected = Expectation.read(bundle)
    assert len(expected.golden.rows) >= 16
    for count in (1, 5, len(expected.golden.rows)):
        for start in range(0, len(expected.golden.rows), count):
            part = expected.slice(start, count)
            assert find_mismatch(_respond(bundle, part), part, "7") is None


@pytest.mark.parametrize("damage", ["scaled", "swapped", "bias"])
def test_broken_quantized_graph_fails_the_golden_check(damage: str, by_labels: PackageResult) -> None:
    expected = Expectation.read(by_labels.bundle)
    path = by_labels.bundle / "model.onnx"
    graph = onnx.load(path)
    stored = [tensor for tensor in graph.graph.initializer if len(tensor.raw_data) >= 256]
    scales = [
        tensor
        for tensor in graph.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= 32
    ]
    if damage == "scaled":
        target = scales[-1]
        changed = numpy_helper.to_array(target) * np.float32(1.5)
    elif damage == "bias":
        target = scales[0]
        changed = numpy_helper.to_array(target) + np.float32(0.5)
    else:
        target = max(stored, key=lambda tensor: len(tensor.raw_data))
        changed = numpy_helper.to_array(target)[::-1].copy()
    target.CopyFrom(numpy_helper.from_array(changed, target.name))
    path.write_bytes(graph.SerializeToString())
    mismatch = find_mismatch(_respond(by_labels.bundle, expected), expected, "7")
    assert mismatch is not None
    assert "golden rows disagree" in mismatch


def test_bundle_within_tolerance_keeps_the_requested_one(network: Any, pack: Package, holdout: Path) -> None:
    packed = pack(network, _labelled_sample(), precision="float32", target="y", holdout=holdout)
    assert read_manifest(packed.bundle).tolerance == Tolerance()


def test_tolerance_covers_what_was_measured_and_never_narrows() -> None:
    random = np.random.default_rng(0)
    a = {"label": np.arange(200) % 2, "probabilities": random.random((200, 2))}
    b = {"label": a["label"].copy(), "probabilities": a["probabilities"] + random.normal(0.0, 0.02, (200, 2))}
    b["label"][3] = 1 - b["label"][3]
    tolerance = cover([(a, b)], Tolerance())
    apart = np.abs(a["probabilities"] - b["probabilities"])
    assert tolerance.labels == 0.995
    assert (apart * 1.24 <= tolerance.atol + tolerance.rtol * a["probabilities"]).all()
    assert cover([(a, a)], Tolerance(labels=0.9, atol=0.5, rtol=0.1)) == Tolerance(labels=0.9, atol=0.5, rtol=0.1)


def test_golden_rows_keep_away_from_the_threshold() -> None:
    share = np.linspace(0.0, 1.0, 1001)
    a = {"label": (share > 0.5).astype(int), "probabilities": np.column_stack([1.0 - share, share])}
    moved = np.clip(share + 0.01 * np.sin(np.arange(1001)), 0.0, 1.0)
    b = {"label": (moved > 0.5).astype(int), "probabilities": np.column_stack([1.0 - moved, moved])}
    accepted = cover([(a, b)], Tolerance())
    outside, tolerance = choose_golden_rows(a, b, accepted, Tolerance())
    inside = sorted(set(range(1001)) - outside)
    assert (a["label"][inside] == b["label"][inside]).all()
    assert not is_undecided(a, accepted)[inside].any()
    assert tolerance.labels == 1.0
    assert tolerance.atol + tolerance.rtol <= 2.5 * (accepted.atol + accepted.rtol)


def test_changes_name_direction_and_side_of_the_threshold() -> None:
    share = np.array([0.49, 0.51, 0.48, 0.9])
    moved = np.array([0.52, 0.50, 0.55, 0.9])
    labels = np.array(["no", "yes"])
    outputs = [
        {"label": labels[(values > 0.505).astype(int)], "probabilities": np.column_stack([1.0 - values, values])}
        for values in (share, moved)
    ]
    changes = find_label_changes(pd.Series(["yes", "yes", "no", "yes"]), *outputs, ("no", "yes"))
    assert changes is not None
    assert (changes.changed, changes.became_wrong, changes.became_right) == (3, 2, 1)
    assert changes.moved == pytest.approx((0.03, 0.07))
    first, second = changes.directions
    assert (first.before, first.after, first.rows) == ("no", "yes", 2)
    assert first.source == pytest.approx((0.48, 0.49))
    assert first.bundle == pytest.approx((0.52, 0.55))
    assert (second.before, second.after) == ("yes", "no")
    assert changes.summary().startswith(
        "3 of 4 labels changed: 2 became wrong, 1 right; their scores moved by 0.03"
    )


def test_costliest_weights_stay_wide_where_labels_refuse(network: Any, pack: Package, holdout: Path) -> None:
    # Units that never fire, with huge weights from one layer to the next, leave no steps of int8 for the others.
    spoilt = copy.deepcopy(network)
    layers = spoilt[-1]
    layers.intercepts_[0][0] = layers.intercepts_[1][0] = -1e6
    layers.coefs_[1][0, :] = layers.coefs_[1][:, 0] = 500.0
    packed = pack(
        spoilt,
        _labelled_sample(),
        precision="int8",
        target="y",
        holdout=holdout,
        max_loss=0.02,
        allow_fragile=True,
    )
    line = next(line for line in packed.precisions if line.chosen)
    assert line.title == "int8, 1 of 2 weights in float16"
    assert line.is_equal
    assert "int8, 1 of 2 weights in float16" in (packed.bundle / "card.md").read_text()
    stored = {tensor.name: tensor for tensor in onnx.load(packed.bundle / "model.onnx").graph.initializer}
    (wide,) = [tensor for name, tensor in stored.items() if name.endswith(" half")]
    assert sorted(wide.dims) == [64, 96]


def test_page_shows_what_labels_accepted(by_labels: PackageResult) -> None:
    page = render(by_labels.bundle)
    assert "As good as the source by 3,000 labelled rows of the holdout" in page
    assert "accepted by labels, see Precision" in page
    assert "<th>by labels" in page
