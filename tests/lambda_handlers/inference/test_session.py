"""Opening a bundle: where it is found, how many threads it gets, and what is refused at init."""

import json
import shutil
from pathlib import Path

import pytest

from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.inference.endpoint import open_endpoint
from serinus.lambda_handlers.inference.errors import BadSetting, UnknownEvent
from serinus.lambda_handlers.inference.session import open_model, threads_for


@pytest.mark.parametrize(("memory_mb", "threads"), [(0, 1), (512, 1), (1769, 1), (3538, 2), (10_240, 5)])
def test_threads_follow_the_cpus_that_the_memory_buys(memory_mb: int, threads: int) -> None:
    assert threads_for(memory_mb) == threads


def test_a_missing_model_layer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(ContractError, match="the model layer is not attached"):
        find_model_folder({})


def test_the_first_model_folder_on_the_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name / "serinus_model").mkdir(parents=True)
        (tmp_path / name / "serinus_model" / "model.onnx").touch()
    monkeypatch.setattr("sys.path", [str(tmp_path / "none"), str(tmp_path / "first"), str(tmp_path / "second")])
    assert find_model_folder({}) == str(tmp_path / "first" / "serinus_model")


@pytest.fixture
def damaged(iris: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(iris, tmp_path / "damaged"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_graph_with_other_inputs_than_the_signature_is_refused(damaged: Path) -> None:
    edit(damaged / "model.json", '"name": "X"', '"name": "Y"')
    with pytest.raises(ContractError, match=r"input 'Y'; the graph has \['X'\]"):
        open_model(damaged, memory_mb=0)


def test_a_model_that_cannot_answer_its_golden_set_is_refused_at_init(damaged: Path) -> None:
    edit(damaged / "golden.json", "sepal_length", "length")
    with pytest.raises(ContractError, match=r"cannot score its own golden set.*is required"):
        open_endpoint({"SERINUS_MODEL_DIR": str(damaged)})


def test_a_feature_that_may_be_missing_needs_a_tensor_that_can_say_so(energy: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(energy, tmp_path / "energy"))
    manifest = json.loads((folder / "model.json").read_text())
    manifest["signature"]["tensors"][0]["dtype"] = "int64"
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(
        ContractError, match="'floors' may be missing, but its tensor's int64 has no missing value"
    ):
        open_endpoint({"SERINUS_MODEL_DIR": str(folder)})


@pytest.mark.parametrize("name", ["SERINUS_MAX_ROWS", "SERINUS_MAX_BODY_BYTES"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_limits_are_positive_integers(iris: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"{name} is '{value}'; it must be a positive integer"):
        open_endpoint({"SERINUS_MODEL_DIR": str(iris), name: value})


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"version": "2.0"}, {"httpMethod": "GET", "path": 4}])
def test_what_is_no_request_is_an_error_of_the_invocation(iris: Path, event: dict[str, object]) -> None:
    with pytest.raises(UnknownEvent, match="Invoke this function through its API"):
        open_endpoint({"SERINUS_MODEL_DIR": str(iris)})(event, None)
