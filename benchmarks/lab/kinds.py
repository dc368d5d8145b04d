"""Models that are no pickled scikit-learn estimator: other libraries' own files, ONNX, MLflow, PyTorch."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Predict = Callable[[pd.DataFrame], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A model of ``framework`` on ``data`` ("classes", "numbers", "rows": no target). ``save`` trains it on a
    table and its target, writes it into a folder, and gives what to package and the source's own prediction."""

    framework: str
    name: str
    data: str
    save: Callable[[Path, pd.DataFrame, Any], tuple[Path, Predict]]


def kinds() -> Iterator[Kind]:
    """All of them; those whose library is not installed raise ImportError as they are saved."""
    for data in ("classes", "numbers"):
        yield Kind("xgboost", f"UBJSON file, {data}", data, _xgboost)
        yield Kind("lightgbm", f"text file, {data}", data, _lightgbm)
        yield Kind("catboost", f"cbm file, {data}", data, _catboost)
    yield Kind("onnx", "logistic regression", "classes", _onnx(lambda: LogisticRegression()))
    yield Kind("onnx", "forest", "classes", _onnx(lambda: RandomForestClassifier(random_state=0)))
    yield Kind("onnx", "network", "classes", _onnx(lambda: MLPClassifier((64, 64), max_iter=60, random_state=0)))
    yield Kind(
        "onnx",
        "network of numbers",
        "numbers",
        _onnx(lambda: MLPRegressor(hidden_layer_sizes=(64,), max_iter=60, random_state=0)),
    )
    yield Kind("mlflow", "scikit-learn flavor", "classes", _mlflow_sklearn)
    yield Kind("mlflow", "xgboost flavor", "classes", _mlflow_xgboost)
    yield Kind("pytorch", "exported network", "classes", _torch("exported"))
    yield Kind("pytorch", "scripted network", "classes", _torch("scripted"))
    yield Kind("pytorch", "exported convolution", "classes", _torch("convolution"))


def _xgboost(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Predict]:
    import xgboost

    objective = "binary:logistic" if set(target) == {0, 1} else "reg:squarederror"
    matrix = xgboost.DMatrix(frame, target)
    model = xgboost.train({"objective": objective, "nthread": 1}, matrix, num_boost_round=60)
    model.save_model(folder / "model.ubj")
    return folder / "model.ubj", lambda rows: model.predict(xgboost.DMatrix(rows))


def _lightgbm(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Predict]:
    import lightgbm

    settings = {"objective": "binary" if set(target) == {0, 1} else "regression", "verbose": -1, "num_threads": 1}
    model = lightgbm.train(settings, lightgbm.Dataset(frame, target), num_boost_round=60)
    model.save_model(folder / "model.txt")
    return folder / "model.txt", model.predict


def _catboost(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Predict]:
    import catboost

    classes = set(target) == {0, 1}
    kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    model = kind(iterations=60, thread_count=1, verbose=0, allow_writing_files=False).fit(frame, target)
    model.save_model(str(folder / "model.cbm"))
    return folder / "model.cbm", model.predict_proba if classes else model.predict


def _onnx(make: Callable[[], Any]) -> Callable[[Path, pd.DataFrame, Any], tuple[Path, Predict]]:
    """By skl2onnx, as others write it; the source is ONNX Runtime on that file."""

    def save(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Predict]:
        import onnxruntime
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType

        model = make_pipeline(StandardScaler(), make()).fit(frame.to_numpy(), target)
        options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
        types = [("X", FloatTensorType([None, frame.shape[1]]))]
        graph = to_onnx(model, initial_types=types, options=options).SerializeToString()
        (folder / "model.onnx").write_bytes(graph)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
        return folder / "model.onnx", lambda rows: session.run(None, {"X": rows.to_numpy(dtype=np.float32)})

    return save


def _mlflow_sklearn(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Predict]:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, target)
    logged = _logged(folder, "sklearn: {pickled_model: model.pkl}")
    joblib.dump(model, logged / "model.pkl")
    return logged, model.predict_proba


def _mlflow_xgboost(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Predict]:
    place, predict = _xgboost(folder, frame, target)
    logged = _logged(folder, "xgboost: {data: model.ubj}")
    place.rename(logged / place.name)
    return logged, predict


def _logged(folder: Path, flavor: str) -> Path:
    """A folder as MLflow lays it, which need not be installed."""
    (folder / "logged").mkdir()
    (folder / "logged" / "MLmodel").write_text(f"flavors: {{{flavor}}}\n", encoding="utf-8")
    return folder / "logged"


def _torch(how: str) -> Callable[[Path, pd.DataFrame, Any], tuple[Path, Predict]]:
    def save(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Predict]:
        if importlib.util.find_spec("torch") is None:
            raise ImportError("PyTorch is not installed: pip install 'serinus[torch]'")
        import torch

        torch.manual_seed(0)
        torch.set_num_threads(1)
        width = frame.shape[1]
        layers: list[Any] = [
            torch.nn.Linear(width, 128),
            torch.nn.ReLU(),
            torch.nn.Linear(128, 128),
            torch.nn.ReLU(),
        ]
        if how == "convolution":
            layers = [
                torch.nn.Unflatten(1, (1, width)),
                torch.nn.Conv1d(1, 16, 5),
                torch.nn.ReLU(),
                torch.nn.Flatten(),
            ]
            layers += [torch.nn.Linear(16 * (width - 4), 64), torch.nn.ReLU()]
        last = 64 if how == "convolution" else 128
        network = torch.nn.Sequential(
            torch.nn.BatchNorm1d(width), *layers, torch.nn.Linear(last, 2), torch.nn.Softmax(dim=1)
        )
        _fit(network, torch.tensor(frame.to_numpy(np.float32)), torch.tensor(np.asarray(target)))
        place = folder / ("model.pt" if how == "scripted" else "model.pt2")
        if how == "scripted":
            torch.jit.script(network).save(str(place))
        else:
            axes = ({0: torch.export.Dim("rows")},)
            torch.export.save(
                torch.export.export(network, (torch.zeros(2, width),), dynamic_shapes=axes), str(place)
            )

        def predict(rows: pd.DataFrame) -> Any:
            with torch.no_grad():
                return network(torch.tensor(rows.to_numpy(np.float32))).numpy()

        return place, predict

    return save


def _fit(network: Any, rows: Any, target: Any) -> None:
    import torch

    descent = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(60):
        descent.zero_grad()
        torch.nn.functional.nll_loss(torch.log(network(rows) + 1e-9), target).backward()
        descent.step()
    network.eval()
