"""Which columns a bundle has its endpoint count, and the bands of the reference."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from serinus.lambda_handlers.contract.bundle import BASELINE, read_manifest
from serinus.lambda_handlers.contract.counting import compile_counter
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.monitored import KEY, Column, Monitored
from serinus.modelpack.errors import SampleError
from serinus.modelpack.monitored import edges_of

ROWS = 1200


def draw(seed, rows=ROWS):
    """A tenth of the spending is missing and a third is zero; an id is new in every row."""
    random = np.random.default_rng(seed)
    spending = np.where(random.random(rows) < 1 / 3, 0.0, random.normal(20.0, 20.0, rows))
    return pd.DataFrame(
        {
            "age": random.integers(18, 90, rows),
            "spending": np.where(random.random(rows) < 0.1, np.nan, spending),
            "plan": random.choice(["basic", "full", "trial"], rows, p=[0.6, 0.3, 0.1]),
            "member": random.random(rows) < 0.2,
            "customer": [f"c{seed}-{number}" for number in range(rows)],
        }
    )


@pytest.fixture(scope="module")
def model():
    table = draw(1)
    encode = make_column_transformer(
        (SimpleImputer(), ["age", "spending", "member"]),
        (OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        (OneHotEncoder(handle_unknown="ignore", max_categories=3), ["customer"]),
    )
    return make_pipeline(encode, DecisionTreeClassifier(max_depth=3)).fit(table, table["age"] > 60)


def watched(result):
    return Monitored.from_json(json.loads((result.bundle / BASELINE).read_bytes())[KEY])


@pytest.fixture
def monitored(pack, model):
    return watched(pack(model, draw(1)))


def column(monitored, name):
    return next(column for column in monitored.columns if column.name == name)


def test_numbers_have_deciles_and_a_bin_of_its_own_for_a_point_of_mass(monitored):
    spending = column(monitored, "spending")
    values = draw(1)["spending"]
    assert np.nextafter(0.0, -1.0) in spending.edges
    assert 0.0 in spending.edges
    expected = [int((values <= edge).sum()) for edge in spending.edges]
    assert list(spending.counts) == [*expected, int(values.isna().sum()), 0, 0]
    assert (spending.minimum, spending.maximum) == (values.min(), values.max())
    assert spending.has_mean_rank
    assert len(spending.bands) == len(spending.counts) + 1


def test_categories_are_counted_by_frequency(monitored):
    plan, found = column(monitored, "plan"), Counter(draw(1)["plan"])
    assert plan.categories == ("basic", "full", "trial")
    assert plan.counts == (found["basic"], found["full"], found["trial"], 0, 0, 0)
    assert set(column(monitored, "member").categories) == {0.0, 1.0}


def test_a_column_that_is_new_in_every_row_is_not_watched(monitored):
    assert "customer" not in [column.name for column in monitored.columns]
    assert "distinct" in monitored.unwatched["customer"]


def test_bands_hold_the_share_and_at_least_the_tolerance(monitored):
    for watched_column in monitored.columns:
        for count, (low, high) in zip(watched_column.counts, watched_column.bands, strict=False):
            share = count / watched_column.total
            assert low <= max(0.0, share - 0.01)
            assert high >= min(1.0, share + 0.01)


def test_predictions_on_what_may_be_training_data_are_counted_and_not_tested(monitored):
    outputs = [column for column in monitored.columns if column.role == "output"]
    assert [column.name for column in outputs] == ["label", "probabilities of True"]
    assert not any(column.bands for column in outputs)
    assert all("--holdout" in monitored.unwatched[column.name] for column in outputs)


def test_a_holdout_is_the_reference_of_predictions_alone(pack, model, tmp_path):
    holdout = draw(2, 700)
    holdout.assign(old=holdout["age"] > 60).to_csv(tmp_path / "holdout.csv", index=False)
    sample = draw(1)
    result = pack(model, sample.assign(old=sample["age"] > 60), target="old", holdout=tmp_path / "holdout.csv")
    monitored = watched(result)
    assert monitored.reference == "sample; predictions: holdout"
    assert {(column.role, column.total) for column in monitored.columns} == {("input", ROWS), ("output", 700)}
    assert all(column.bands for column in monitored.columns)


def test_traffic_is_the_reference_of_all_and_differences_from_the_sample_are_named(pack, model, tmp_path):
    traffic = draw(3, 6000)
    traffic["age"] += 20
    traffic.to_csv(tmp_path / "traffic.csv", index=False)
    result = pack(model, draw(1), traffic=tmp_path / "traffic.csv")
    monitored = watched(result)
    assert monitored.reference == "traffic"
    assert {column.total for column in monitored.columns} == {6000}
    (notice,) = [notice for notice in result.notices if "unlike" in notice]
    assert "age (" in notice
    assert not any(name in notice for name in ("spending", "plan", "member"))


def test_a_sample_like_the_traffic_is_not_remarked_upon(pack, model, tmp_path):
    draw(3, 6000).to_csv(tmp_path / "traffic.csv", index=False)
    result = pack(model, draw(1), traffic=tmp_path / "traffic.csv")
    assert not [notice for notice in result.notices if "unlike" in notice or "rows" in notice]


def test_a_small_reference_is_remarked_upon(pack, model):
    (notice,) = [notice for notice in pack(model, draw(1)).notices if "drift" in notice]
    assert "1,200 rows" in notice


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="age"), "lacks 'age'"),
        (lambda table: table.assign(age="old"), "column 'age' holds text; the sample's holds numbers"),
        (lambda table: table.assign(plan=1), "column 'plan' holds numbers; the sample's holds text"),
    ],
)
def test_traffic_with_other_columns_is_rejected(pack, model, tmp_path, change, message):
    change(draw(3, 100)).to_parquet(tmp_path / "traffic.parquet", index=False)
    with pytest.raises(SampleError, match=message) as error:
        pack(model, draw(1), traffic=tmp_path / "traffic.parquet")
    assert "--traffic" in str(error.value)


def test_traffic_may_lack_the_label(pack, tmp_path):
    sample = draw(1)[["age"]].assign(score=1.5)
    draw(2, 200)[["age"]].to_csv(tmp_path / "traffic.csv", index=False)
    model = LinearRegression().fit(sample[["age"]], sample["age"] * 2.0)
    monitored = watched(pack(model, sample, target="score", traffic=tmp_path / "traffic.csv"))
    assert [column.name for column in monitored.columns] == ["age", "value"]


def test_the_same_columns_have_the_same_id_and_other_edges_another(monitored, pack, model):
    assert watched(pack(model, draw(1))).id == monitored.id
    assert watched(pack(model, draw(2))).id != monitored.id


def test_counts_of_live_rows_name_what_the_sample_lacks(pack, model):
    result = pack(model, draw(1))
    signature, monitored = read_manifest(result.bundle).signature, watched(result)
    numbers = np.array([[200.0, np.nan, 1.0], [-5.0, np.inf, np.nan]])
    missing = {feature.name: feature.missing_string for feature in signature.features}["plan"]
    strings = np.array([["exotic", "x"], [missing, "y"]], dtype=object)
    outputs = {"label": np.array([True, False]), "probabilities": np.array([[0.0, np.nan], [1.0, 0.0]])}
    tensors = {"numbers": numbers, "strings": strings}
    feeds = {
        tensor.name: tensors["strings" if tensor.dtype == "string" else "numbers"] for tensor in signature.tensors
    }
    counts = compile_counter(signature, monitored)(feeds, outputs)
    named = {}
    for watched_column in monitored.columns:
        names = watched_column.describe_streams()[: watched_column.streams]
        named[watched_column.name] = dict(zip(names, counts.tolist(), strict=False))
        counts = counts[watched_column.streams :]
    assert (named["age"]["below 18"], named["age"]["above 89"]) == (1, 1)
    assert named["spending"]["missing"] == 1
    assert [count for name, count in named["spending"].items() if name.startswith("above")] == [1]
    assert named["plan"]["a value never seen"] == 1
    assert named["plan"]["missing"] == 1
    assert named["member"]["missing"] == 1
    assert named["label"] == {
        "False": 1,
        "True": 1,
        "another known value": 0,
        "a value never seen": 0,
        "missing": 0,
    }
    assert named["probabilities of True"]["missing"] == 1


@pytest.mark.parametrize("key", ["columns", "reference", "unwatched", "id"])
def test_damaged_columns_are_rejected(monitored, key):
    data = monitored.to_json()
    del data[key]
    with pytest.raises(ContractError, match="Package the model again"):
        Monitored.from_json(data)


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([1.0] * 50, []),
        ([np.nan] * 50, []),
        ([0.0] * 30 + [1.0] * 20, [0.0, np.nextafter(1.0, 0.0)]),
        (list(range(1, 101)), [float(decile) for decile in range(10, 100, 10)]),
    ],
)
def test_edges_separate_what_the_sample_has(values, edges):
    assert edges_of(np.array(values, np.float64)) == edges


@pytest.mark.parametrize(
    ("edges", "maximum", "bins"),
    [
        ((1.7e9, 1.7e9 + 5, 1.7e9 + 9), 1.8e9, 4),
        ((2.0, np.nextafter(5.0, 0.0), 5.0, 8.0), 9.0, 5),
        ((2.0, np.nextafter(60.0, 0.0)), 60.0, 3),
    ],
)
def test_streams_and_bins_have_words_of_their_own(edges, maximum, bins):
    watched_column = Column("a", "input", "number", 1, 10, (0,) * (len(edges) + 3), edges=edges, maximum=maximum)
    assert len(set(watched_column.describe_streams())) == len(edges) + 4
    assert len(set(watched_column.describe_bins())) == bins


def test_a_category_may_be_called_like_a_stream():
    watched_column = Column("a", "input", "category", 1, 10, (5, 1, 0, 0, 4), categories=("missing", "full"))
    assert len(set(watched_column.describe_streams())) == 5
