"""The bundle on disk: whole, verified, pinned, and made again without harm."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from serinus.lambda_handlers.contract.bundle import CARD, PROVENANCE, SHIPPED, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock
from serinus.modelpack.locking import pin_bundle
from serinus.modelpack.request import PackageResult

Package = Callable[..., PackageResult]


@pytest.fixture
def packed(numbers: pd.DataFrame, score: Any, pack: Package) -> PackageResult:
    return pack(LogisticRegression().fit(numbers, score > 0), numbers.assign(churned=score > 0), target="churned")


def test_folder_holds_what_the_contract_names_and_nothing_else(packed: PackageResult) -> None:
    assert {path.name for path in packed.bundle.iterdir()} == {*SHIPPED, CARD, PROVENANCE}
    assert verify(packed.bundle).version == packed.version
    assert packed.bundle.name == packed.version[:12]
    assert not list(packed.bundle.parent.glob(".*"))


def test_result_is_plain_data(packed: PackageResult) -> None:
    data = json.loads(json.dumps(packed.to_json()))
    assert data["bundle"].endswith(f"bundles/churn/{packed.version[:12]}")
    assert data["parity"]["labels_equal"] == 1.0
    assert data["score"] > 0.5
    assert set(data["seconds"]) == {
        "load",
        "sample",
        "convert",
        "precision",
        "robustness",
        "profile",
        "write",
        "total",
    }
    assert data["bundle_bytes"] > data["graph_bytes"] > 0


def test_lock_pins_version_and_place(packed: PackageResult) -> None:
    project = packed.bundle.parents[2]
    pin = read_lock(project / LOCK)["dev"]["churn"]
    assert pin == Pin(packed.version, f"bundles/churn/{packed.version[:12]}")
    assert verify(project / pin.bundle).version == pin.version


def test_environments_and_models_are_pinned_apart(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    model = LogisticRegression().fit(numbers, score > 0)
    first = pack(model, numbers)
    pack(model, numbers, environment="prod")
    pack(model, numbers, name="spam")
    lock = read_lock(first.bundle.parents[2] / LOCK)
    assert {environment: sorted(models) for environment, models in lock.items()} == {
        "dev": ["churn", "spam"],
        "prod": ["churn"],
    }


def test_packaging_again_keeps_the_bundle_as_it_is(
    packed: PackageResult, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in packed.bundle.iterdir()}
    again = pack(LogisticRegression().fit(numbers, score > 0), numbers.assign(churned=score > 0), target="churned")
    assert again.version == packed.version
    assert {path.name: path.stat().st_mtime_ns for path in packed.bundle.iterdir()} == before


def test_changed_bundle_is_noticed_set_aside_and_made_again(
    packed: PackageResult, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    (packed.bundle / "golden.json").write_text("{}")
    with pytest.raises(ContractError, match="changed after packaging"):
        verify(packed.bundle)
    again = pack(LogisticRegression().fit(numbers, score > 0), numbers.assign(churned=score > 0), target="churned")
    assert verify(again.bundle).version == packed.version
    assert (packed.bundle.parent / f"{packed.bundle.name}.damaged-1" / "golden.json").read_text() == "{}"


def test_damaged_lock_is_left_alone(packed: PackageResult) -> None:
    lock = packed.bundle.parents[2] / LOCK
    lock.write_text("[dev.churn\n")
    with pytest.raises(ContractError, match="not valid TOML"):
        pin_bundle(lock.parent, "dev", "churn", Pin("0" * 64, "bundles/churn/0"))
    assert lock.read_text() == "[dev.churn\n"


def test_damaged_lock_is_noticed_before_anything_is_written(
    numbers: pd.DataFrame, score: Any, pack: Package, tmp_path: Path
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / LOCK).write_text("[dev.churn\n")
    with pytest.raises(ContractError, match="not valid TOML"):
        pack(LogisticRegression().fit(numbers, score > 0), numbers)
    assert not list((tmp_path / "project").rglob("*.onnx"))


def test_pins_set_at_once_are_all_kept(tmp_path: Path) -> None:
    names = [f"model-{number}" for number in range(8)]
    threads = [
        threading.Thread(target=pin_bundle, args=(tmp_path, "dev", name, Pin("a" * 64, f"bundles/{name}")))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read_lock(tmp_path / LOCK)["dev"]) == names


def test_provenance_names_sources_and_libraries(packed: PackageResult) -> None:
    provenance = json.loads((packed.bundle / PROVENANCE).read_bytes())
    assert len(provenance["source"]["sha256"]) == 64
    assert {"scikit-learn", "onnx", "skl2onnx"} <= set(provenance["libraries"])
    assert provenance["parity"]["rows_out_of_tolerance"] == 0


def test_card_is_readable(packed: PackageResult) -> None:
    card = (packed.bundle / CARD).read_text()
    assert card.startswith("# churn\n")
    assert "| a | float64 |" in card
    assert "labels equal in 100.0000%" in card


def test_baseline_profiles_inputs_and_predictions(packed: PackageResult, numbers: pd.DataFrame) -> None:
    baseline = json.loads((packed.bundle / "baseline.json").read_bytes())
    assert baseline["rows"] == len(numbers)
    profile = baseline["features"]["a"]
    assert profile["mean"] == pytest.approx(numbers["a"].mean())
    assert profile["std"] == pytest.approx(numbers["a"].std())
    assert profile["deciles"] == pytest.approx(list(np.quantile(numbers["a"], np.linspace(0.1, 0.9, 9))))
    counts = {item["value"]: item["count"] for item in baseline["outputs"]["label"]["categories"]}
    assert set(counts) == {True, False}
    assert sum(counts.values()) == len(numbers)
    assert set(baseline["outputs"]["probabilities"]["columns"]) == {"False", "True"}


def test_packaging_again_replaces_a_card_that_says_something_else(
    numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    model = LogisticRegression().fit(numbers, score > 0)
    first = pack(model, numbers.assign(churned=score > 0.5), target="churned")
    card = (first.bundle / CARD).read_text()
    again = pack(model, numbers.assign(churned=score > 0), target="churned")
    assert again.bundle == first.bundle
    assert (again.bundle / CARD).read_text() != card
    assert verify(again.bundle).version == first.version
