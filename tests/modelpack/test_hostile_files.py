"""Hostile and broken files end, through the command line, in one clear line with their kind's exit code, and
nothing is written."""

import io
import logging
import pickle
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

from serinus.cli.main import main
from serinus.modelpack.supervised.supervisor import Packer

Files = Callable[[str], bytes]
SOURCE, SAMPLE = 3, 4


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the working folder, with a sample that is right."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "serinus.toml").write_text("")
    pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}).to_csv(tmp_path / "sample.csv", index=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def packer() -> Iterator[Packer]:
    """One process for all files: to start one takes longer than to refuse a file."""
    with Packer() as packer:
        yield packer


@pytest.fixture
def refused(
    project: Path, packer: Packer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Packages a model file, which must fail as one line; gives that line."""
    monkeypatch.setattr(
        "serinus.modelpack.supervised.supervisor.Packer", lambda stage_timeout_s: nullcontext(packer)
    )

    def run(model: Path, code: int, sample: Path | None = None) -> str:
        arguments = [
            "package",
            str(model),
            "--name",
            "given",
            "--sample",
            str(sample or project.parent / "sample.csv"),
        ]
        monkeypatch.setattr(sys, "argv", ["serinus", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert ended.value.code == code, shown.err
        assert "Traceback" not in shown.err
        assert shown.out == ""
        assert [path.name for path in project.rglob("*")] == ["serinus.toml"]
        assert (project / "serinus.toml").read_text() == ""
        errors = shown.err[shown.err.index("error: ") :]
        return " ".join(errors.split())

    return run


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    """Whole model files by suffix."""
    rows, labels = np.arange(40.0)[:, None] % 4, np.arange(40) % 2
    model = LogisticRegression().fit(rows, labels)
    saved = io.BytesIO()
    joblib.dump(model, saved)
    return {
        ".joblib": saved.getvalue(),
        ".pkl": pickle.dumps(model),
        ".onnx": _onnx().SerializeToString(),
    }


def _onnx(node: Any = None, stored: Any = None) -> Any:
    node = node or helper.make_node("Mul", ["x", "two"], ["y"])
    stored = stored or numpy_helper.from_array(np.full((1, 1), 2.0, dtype=np.float32), "two")
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [stored],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _booster(suffix: str, folder: Path) -> bytes:
    rows, labels = np.arange(80.0)[:, None] % 8, np.arange(80) % 2
    path = folder / f"whole{suffix}"
    if suffix == ".ubj":
        xgboost = pytest.importorskip("xgboost")
        xgboost.XGBClassifier(n_estimators=2).fit(rows, labels).save_model(path)
    elif suffix == ".txt":
        lightgbm = pytest.importorskip("lightgbm")
        lightgbm.LGBMClassifier(n_estimators=2, min_child_samples=1, verbose=-1).fit(
            rows, labels
        ).booster_.save_model(path)
    else:
        catboost = pytest.importorskip("catboost")
        made = catboost.CatBoostClassifier(iterations=2, verbose=False, allow_writing_files=False)
        made.fit(rows, labels).save_model(str(path))
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".onnx"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_file_cut_short(
    suffix: str, share: float, contents: dict[str, bytes], refused: Any, tmp_path: Path
) -> None:
    whole = contents[suffix]
    path = tmp_path / f"model{suffix}"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert path.name in refused(path, SOURCE)


@pytest.mark.parametrize("suffix", [".ubj", ".txt", ".cbm"])
def test_booster_cut_short(suffix: str, refused: Any, tmp_path: Path) -> None:
    whole = _booster(suffix, tmp_path)
    path = tmp_path / f"model{suffix}"
    for share in (0.3, 0.7):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert path.name in refused(path, SOURCE)


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".onnx", ".skops", ".ubj", ".txt", ".cbm", ".pt2", ".json"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 64, b"not a model\n" * 9, b"\xff\xfe{", b"PK\x03\x04" + b"\0" * 40]
)
def test_other_content_under_a_models_name(suffix: str, content: bytes, refused: Any, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    assert path.name in refused(path, SOURCE)


@pytest.mark.parametrize(
    "content", [b"CBM1" + b"\xff" * 60, b"tree\nversion=v4\nnum_class=x\n", b'{"learner": {}}']
)
def test_right_beginning_and_nothing_after(content: bytes, refused: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    assert path.name in refused(path, SOURCE)


def test_folder_that_is_no_model(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "holds no models" in refused(tmp_path / "folder", 1)


def test_skops_of_untrusted_types(refused: Any, tmp_path: Path) -> None:
    from sklearn.preprocessing import FunctionTransformer
    from skops import io as skops_io

    path = tmp_path / "model.skops"
    skops_io.dump(FunctionTransformer(logging.getLevelName), path)
    assert "--trust" in refused(path, SOURCE)


def test_skops_that_would_fill_memory(refused: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("schema.json", "{}")
        with archive.open("array.npy", "w") as member:
            for _ in range(100):
                member.write(bytes(1_000_000))
    assert "would unpack to 100 MB" in refused(path, SOURCE)


@pytest.mark.parametrize("location", ["../secret.bin", "{outside}/secret.bin"])
def test_graph_with_data_outside_its_folder(location: str, refused: Any, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 4)
    model = _onnx()
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.raw_data = b""
    tensor.external_data.add(key="location", value=location.format(outside=tmp_path))
    path = tmp_path / "inner" / "model.onnx"
    path.write_bytes(model.SerializeToString())
    assert "outside its own folder" in refused(path, SOURCE)


def _absurd_weights() -> Any:
    stored = TensorProto(name="two", data_type=TensorProto.FLOAT, dims=[2**40, 2**20], raw_data=b"\0" * 8)
    return _onnx(stored=stored)


def _absurd_result() -> Any:
    shape = numpy_helper.from_array(np.array([1, 2**44]), "two")
    return _onnx(helper.make_node("Expand", ["x", "two"], ["y"]), shape)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (lambda: _onnx(helper.make_node("Mul", ["x", "two"], ["y"], domain="acme")), SOURCE),
        (lambda: _onnx(helper.make_node("NoSuchThing", ["x", "two"], ["y"])), SOURCE),
        (_absurd_weights, SOURCE),
        (_absurd_result, SAMPLE),
    ],
    ids=["domain", "operator", "weights", "result"],
)
def test_graph_that_cannot_be(model: Callable[[], Any], code: int, refused: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(model().SerializeToString())
    assert refused(path, code)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x\n\xff\xfe\n", "not UTF-8"),
        (b"\xff\xfex\x00\n\x001\x00", "not UTF-8"),
        (b"x,y\n1,2\n1,2,3,4\n", "cannot be read"),
        (b"x\n", "no rows"),
        (b"", "empty"),
        (b"x\n1\nmany\n", "many|convert|string"),
        (b'x\n"1\n', "cannot be read|EOF"),
        (",".join(f"c{place}" for place in range(1_000_000)).encode() + b"\n1\n", "1000000 columns"),
    ],
    ids=["encoding", "UTF-16", "ragged", "no rows", "empty", "words", "open quote", "a million columns"],
)
def test_sample_that_is_broken(
    content: bytes, said: str, contents: dict[str, bytes], refused: Any, tmp_path: Path
) -> None:
    (tmp_path / "model.joblib").write_bytes(contents[".joblib"])
    (tmp_path / "broken.csv").write_bytes(content)
    assert re.search(said, refused(tmp_path / "model.joblib", SAMPLE, tmp_path / "broken.csv"))
