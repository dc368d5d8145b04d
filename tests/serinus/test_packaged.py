"""`serinus.package` of a model that is an object: the command's result, a card that notebooks show, and errors."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import types
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import serinus
from serinus.infra.release import pinned_version
from serinus.progress_line import ProgressLine

SETTINGS = '[project]\nname = "shop"\n'


@pytest.fixture(scope="module")
def X() -> pd.DataFrame:
    random = np.random.default_rng(5)
    frame = pd.DataFrame({"tenure": random.integers(1, 72, 200), "charge": random.uniform(20, 120, 200).round(2)})
    return frame.assign(contract=random.choice(["monthly", "yearly"], 200))


@pytest.fixture(scope="module")
def y(X: pd.DataFrame) -> "pd.Series[Any]":
    return pd.Series(np.where(X["contract"] == "monthly", "leaves", "stays"), name="outcome")


@pytest.fixture(scope="module")
def model(X: pd.DataFrame, y: "pd.Series[Any]") -> Any:
    columns = make_column_transformer(
        (StandardScaler(), ["tenure", "charge"]), (OneHotEncoder(handle_unknown="ignore"), ["contract"])
    )
    return make_pipeline(columns, LogisticRegression()).fit(X, y)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "serinus.toml").write_text(SETTINGS)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def test_an_object_is_packaged_as_its_file_is(
    model: Any, X: pd.DataFrame, y: "pd.Series[Any]", project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    packaged = serinus.package(model, X, y, name="churn")
    assert packaged.bundle.is_relative_to(project / "bundles" / "churn")
    assert pinned_version(project, "dev", "churn") == packaged.version
    assert (project / "serinus.toml").read_text() == SETTINGS + "\n[endpoint.churn]\n"
    assert packaged.result.score == pytest.approx(model.score(X, y))
    answer = packaged.load().predict(X)
    assert answer["labels"] == model.predict(X).tolist()
    np.testing.assert_allclose(answer["probabilities"], model.predict_proba(X), atol=1e-6)

    folder = tmp_path_factory.mktemp("file")
    joblib.dump(model, folder / "model.joblib")
    X.to_parquet(folder / "sample.parquet")
    request = serinus.PackageRequest(folder / "model.joblib", "churn", folder / "sample.parquet", folder)
    assert serinus.package(request).version == packaged.version
    provenance = [
        json.loads((bundle / "provenance.json").read_text())["source"] for bundle in folder.glob("b*/*/*")
    ]
    own = json.loads((packaged.bundle / "provenance.json").read_text())["source"]
    assert own == provenance[0] | {"file": "Pipeline"}


def test_a_second_endpoint_table_is_not_added_and_a_dry_run_writes_nothing(
    model: Any, X: pd.DataFrame, project: Path
) -> None:
    tried = serinus.package(model, X, name="churn", dry_run=True)
    assert not tried.is_pinned
    assert "not pinned" in repr(tried)
    assert tried.version[:12] in tried.card_html
    assert sorted(path.name for path in project.iterdir()) == ["notebooks", "serinus.toml"]
    serinus.package(model, X, name="churn")
    serinus.package(model, X, name="churn")
    assert (project / "serinus.toml").read_text().count("[endpoint.churn]") == 1


@pytest.mark.parametrize("as_rows", ["array", "lists", "dicts", "no names"])
def test_rows_come_in_other_forms(as_rows: str, X: pd.DataFrame, y: "pd.Series[Any]", project: Path) -> None:
    numbers = X[["tenure", "charge"]].astype(float)
    fitted = LogisticRegression().fit(numbers if as_rows == "dicts" else numbers.to_numpy(), y)
    rows: Any = {
        "array": numbers.to_numpy(),
        "lists": numbers.to_numpy().tolist(),
        "dicts": numbers.to_dict("records"),
        "no names": pd.DataFrame(numbers.to_numpy()),
    }[as_rows]
    packaged = serinus.package(fitted, rows, y.tolist(), name="churn", progress=False)
    names = ("tenure", "charge") if as_rows == "dicts" else ("feature_0", "feature_1")
    assert packaged.load().signature.feature_names() == names
    assert (
        packaged.load().predict(numbers.to_numpy())["labels"]
        == fitted.predict(numbers if as_rows == "dicts" else numbers.to_numpy()).tolist()
    )


def test_an_array_has_the_names_of_training(X: pd.DataFrame, project: Path) -> None:
    numbers = X[["tenure", "charge"]].astype(float)
    fitted = LinearRegression().fit(numbers, X["tenure"])
    packaged = serinus.package(fitted, numbers.to_numpy(), name="value", progress=False)
    assert packaged.load().signature.feature_names() == ("tenure", "charge")


def test_metrics_are_compared_on_a_holdout_and_files_may_be_named(
    model: Any, X: pd.DataFrame, y: "pd.Series[Any]", project: Path
) -> None:
    packaged = serinus.package(model, X, y, name="churn", holdout=(X[:50], y[:50]), traffic=X, project=project)
    assert packaged.result.holdout is not None
    assert packaged.result.holdout["bundle"]["accuracy"] == pytest.approx(model.score(X[:50], y[:50]))
    X.assign(outcome=y).to_csv(project / "labelled.csv", index=False)
    joblib.dump(model, project / "model.joblib")
    sample = project / "labelled.csv"
    by_path = serinus.package(project / "model.joblib", sample, "outcome", name="churn", holdout=sample)
    assert by_path.result.score == pytest.approx(model.score(X, y))


def test_a_notebook_shows_the_card(model: Any, X: pd.DataFrame, project: Path) -> None:
    packaged = serinus.package(model, X, name="churn")
    assert len(repr(packaged)) < 250
    assert re.fullmatch(
        r"<churn [0-9a-f]{12}: Pipeline\(.*\), [\d.,]+ kB of ONNX, largest difference \S+ on \d+ rows, "
        r"pinned for dev>",
        repr(packaged),
    )
    bundled = packaged._repr_mimebundle_()
    assert bundled == {
        "text/plain": repr(packaged),
        "text/markdown": (packaged.bundle / "card.md").read_text(),
        "text/html": packaged._repr_html_(),
    }
    html = bundled["text/html"]
    assert "<h1>churn</h1>" in html
    assert not re.search(r"<html|<body|<script|https?:|@import|url\(", html)
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert style.startswith(".serinus-card {")
    assert style.count("{") == style.count("}")
    assert not re.search(r":root|\bbody\b", style)

    class Balanced(HTMLParser):
        open = 0

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.open += tag == "div"

        def handle_endtag(self, tag: str) -> None:
            self.open -= tag == "div"

    parser = Balanced()
    parser.feed(html)
    assert parser.open == 0


class Ending(ClassifierMixin, BaseEstimator):
    """A model whose code ends the process, which a notebook must survive."""

    def fit(self, X: Any, y: Any) -> "Ending":
        self.classes_, self.n_features_in_ = np.unique(y), 2
        return self

    def predict(self, X: Any) -> Any:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": 3}, serinus.SourceError, r"^a builtins\.int is no model of a supported framework .*Pass the"),
        ({"model": LogisticRegression()}, serinus.SourceError, r"LogisticRegression is not fitted\. Call fit"),
        ({"X": None}, serinus.SampleError, "^X is None; pass rows like those"),
        ({"X": 3}, serinus.SampleError, "^X is of type int; pass a DataFrame, an array"),
        ({"y": ["stays"]}, serinus.SampleError, r"^y has shape \[1\] for 200 rows; it must hold one label"),
        ({"X": "rows.csv", "y": ["stays"]}, serinus.RequestError, "^y are labels, and X is no rows but a file"),
        ({"X": "rows.csv", "y": None}, serinus.SampleError, r"rows\.csv is not a file"),
        ({"X": [[{1}, 2], [3, "a"]], "y": None}, serinus.SampleError, "^the rows cannot be kept as a table: "),
        ({"name": "My model"}, serinus.RequestError, "name 'My model' is not valid"),
        ({"project": "/"}, serinus.RequestError, r"no serinus\.toml in /.*Or pass project=\.\.\."),
        ({"precision": "int3"}, serinus.RequestError, "precision 'int3' is not one of"),
        ({"y": None, "holdout": ([[1]], [2])}, serinus.RequestError, "^holdout has labels; pass those of X too"),
        ({"holdout": 3}, TypeError, "holdout is 3, of type int"),
        ({"precison": "int8"}, TypeError, "precison"),
        (
            {"name": None},
            TypeError,
            r"^package\(\) needs the model's name: package\(pipeline, X, y, name='churn'\)",
        ),
    ],
)
def test_what_cannot_be_packaged_is_an_error_and_writes_nothing(
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
    model: Any,
    X: pd.DataFrame,
    y: "pd.Series[Any]",
    project: Path,
) -> None:
    with pytest.raises(error, match=message):
        serinus.package(**{"model": model, "X": X, "y": y, "name": "churn", "progress": False} | arguments)
    assert sorted(path.name for path in project.iterdir()) == ["notebooks", "serinus.toml"]


def test_a_model_that_ends_the_process_is_an_error(X: pd.DataFrame, project: Path) -> None:
    message = "^Ending could not be packaged: SystemExit: 3. Nothing was written"
    with pytest.raises(serinus.ModelpackError, match=message) as caught:
        serinus.package(Ending().fit(X, [0, 1]), X[["tenure", "charge"]], name="churn", progress=False)
    assert isinstance(caught.value.__cause__, SystemExit)
    assert not (project / "bundles").exists()


def test_settings_that_are_no_toml_are_an_error_before_the_work(
    model: Any, X: pd.DataFrame, project: Path
) -> None:
    (project / "serinus.toml").write_text("[project")
    with pytest.raises(serinus.RequestError, match=r"serinus\.toml cannot be read as TOML"):
        serinus.package(model, X, name="churn")
    assert not (project / "bundles").exists()


def test_a_request_is_packaged_as_before(model: Any, X: pd.DataFrame, project: Path) -> None:
    joblib.dump(model, project / "model.joblib")
    X.to_csv(project / "sample.csv", index=False)
    request = serinus.PackageRequest(project / "model.joblib", "churn", project / "sample.csv", project)
    assert isinstance(serinus.package(request), serinus.PackageResult)
    assert (project / "serinus.toml").read_text() == SETTINGS
    with pytest.raises(TypeError, match="takes no other arguments"):
        serinus.package(request, name="churn")


def test_progress_is_lines_where_nobody_watches(
    model: Any, X: pd.DataFrame, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serinus.package(model, X, name="churn")
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[0] == "load …"
    done = r"packaged churn [0-9a-f]{12} in [\d.]+ s; pinned it for dev in serinus\.lock"
    assert re.fullmatch(done + r", and added \[endpoint\.churn\] to serinus\.toml", lines[-1])
    assert "\r" not in printed.err
    assert "\x1b" not in printed.err
    serinus.package(model, X, name="churn", progress=False)
    assert capsys.readouterr() == ("", "")


def test_progress_is_one_line_without_control_sequences_on_a_terminal() -> None:
    code = (
        "from serinus.progress_line import ProgressLine\n"
        "with ProgressLine('packaging churn', 2) as line:\n"
        "    line.stage('load'); line.notice('few rows'); line.stage('write'); line.finish('packaged churn')\n"
    )
    ours, theirs = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True, timeout=60)
        written = os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "\x1b" not in written
    assert re.search(r"packaging churn ░{20} load \(0\.\d s\)", written)
    assert re.search(r"packaging churn █{10}░{10} write \(0\.\d s\)", written)
    shown = [line.rpartition("\r")[2] for line in written.replace("\r\n", "\n").split("\n")]
    assert shown == ["few rows", "packaged churn", ""]


class Shown:
    """A notebook's displays, as IPython's: each is shown once and then replaced."""

    def __init__(self) -> None:
        self.outputs: list[str] = []

    def display(self, data: dict[str, str], *, raw: bool, display_id: bool) -> "Shown":
        assert raw
        assert display_id
        self.outputs.append(data["text/plain"])
        return self

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.outputs[-1] = data["text/plain"]


def test_progress_is_one_display_in_a_notebook(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    shown = Shown()
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=shown.display))
    with ProgressLine("packaging churn", 2) as line:
        line.stage("load")
        assert re.fullmatch(r"packaging churn ░{20} load \(\d\.\d s\)", shown.outputs[0])
        line.notice("few rows")
        line.stage("load: rows")
        assert re.fullmatch(r"packaging churn ░{20} load: rows \(\d\.\d s\)", shown.outputs[0])
        line.stage("write")
        assert re.fullmatch(r"packaging churn █{10}░{10} write \(\d\.\d s\)", shown.outputs[0])
        line.finish("packaged churn")
    assert shown.outputs == ["packaged churn"]
    assert capsys.readouterr() == ("few rows\n", "")


def test_a_failure_ends_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", written := io.StringIO())
    line = ProgressLine("packaging churn", 2)
    line.stage("load")
    line.__exit__(ValueError, ValueError("bad"), None)
    assert re.fullmatch(r"load …\npackaging churn failed after \d\.\d s\n", written.getvalue())
