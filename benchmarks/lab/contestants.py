"""The functions that are compared, each laid out as it would be deployed."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lab import packages
from lab.models import Model
from lab.store import stored
from lab.worker import Function
from serinus.infra.handler_modules import handler_files
from serinus.lambda_handlers.contract.build import BUILD_DIR
from serinus.lambda_handlers.contract.signals import ENV_PROFILE
from serinus.modelpack.layers import build

ROOT = Path(__file__).parents[2]
_HANDLERS = Path(__file__).with_name("handlers")
_EVENT = ROOT / "tests" / "events" / "rest_predict.json"
#: What `infra` gives every function of ours before its layers are imported; the floor gets it too.
FUNCTION_VARIABLES = {"OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}
#: cloudpickle: of MLflow's formats the one that reads trees without a list of trusted types.
_SAVE = """
import sys, joblib, mlflow.sklearn
mlflow.sklearn.save_model(joblib.load(sys.argv[1]), sys.argv[2], serialization_format="cloudpickle")
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A function with the body that it is asked with and where its answer names the label."""

    name: str
    function: Function
    event: bytes
    label: Callable[[Any], Any]
    notes: list[str] = field(default_factory=list)

    def check(self, answer: dict[str, Any], expected: int) -> None:
        """Refuse to measure what does not predict as the source model does."""
        if answer.get("statusCode") != 200 or self.label(json.loads(answer["body"])) != expected:
            raise SystemExit(
                f"{self.name} answered {str(answer)[:400]} where the source model predicts {expected}"
            )


def contestants(model: Model) -> dict[str, Contestant]:
    """All rows, the floor first."""
    makers = (
        contestant_floor, _serinus, _serinus_monitored, _serinus_no_hot_route, _onnx_fastapi,
        _sklearn_fastapi_pyc, _sklearn_fastapi, _mlflow, _bentoml,
    )  # fmt: skip
    found = [make(model) for make in makers]
    return {contestant.name: contestant for contestant in found}


def serinus(
    model: Model, name: str = "serinus", environment: Mapping[str, str] | None = None, task: Path | None = None
) -> Contestant:
    """Our function, from the files that its asset would hold."""
    function = _function(
        name,
        task=task or _serinus_task(),
        layers=(runtime_layer(), _model_layer(model)),
        handler="serinus.lambda_handlers.inference.handler.handler",
        environment={**FUNCTION_VARIABLES, "SERINUS_ENDPOINT": "bench", **(environment or {})},
    )
    return Contestant(name, function, proxy_event({"rows": model.rows[:1]}), _first_label)


def proxy_event(body: dict[str, Any], path: str = "/predict") -> bytes:
    """A REST API's event, as the gateway sends it."""
    recorded = json.loads(_EVENT.read_bytes())
    return json.dumps({**recorded, "path": path, "body": json.dumps(body)}).encode()


@cache
def runtime_layer() -> Path:
    """Our runtime layer, built as `serinus build` builds it and unpacked."""
    with tempfile.TemporaryDirectory() as project:
        target = (f"python{packages.python_version()}", os.uname().machine.replace("aarch64", "arm64"))
        (layer,) = build(Path(project), [target], []).runtime.values()
        return packages.unpack(Path(project) / BUILD_DIR / layer.path)


def copy_serinus(folder: Path) -> None:
    """The files of our function's asset."""
    for file in handler_files(ROOT, "serinus.lambda_handlers.inference.handler"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, folder / file)


def contestant_floor(model: Model) -> Contestant:
    """What imports ONNX Runtime, opens the model and runs it, and nothing else."""
    environment = {**FUNCTION_VARIABLES, "MODEL": str(model.bundle / "model.onnx")}
    function = _function("floor", layers=(runtime_layer(),), handler="floor.handler", environment=environment)
    return Contestant("floor", function, proxy_event({"rows": model.rows[:1]}), _first_label)


def _serinus(model: Model) -> Contestant:
    return serinus(model)


def _serinus_monitored(model: Model) -> Contestant:
    return serinus(model, "serinus, monitored", {ENV_PROFILE: "1"})


def _serinus_no_hot_route(model: Model) -> Contestant:
    return serinus(model, "serinus-no-hot-route", {"SERINUS_HOT_ROUTE": "0"})


def _onnx_fastapi(model: Model) -> Contestant:
    return _fastapi("onnx-fastapi", "onnx_fastapi", model, model.bundle / "model.onnx", runtime_layer())


def _sklearn_fastapi_pyc(model: Model) -> Contestant:
    return _fastapi("sklearn-fastapi-pyc", "sklearn_fastapi", model, model.joblib, _sklearn_layer(bytecode=True))


def _sklearn_fastapi(model: Model) -> Contestant:
    return _fastapi("sklearn-fastapi", "sklearn_fastapi", model, model.joblib, _sklearn_layer(bytecode=False))


def _sklearn_layer(*, bytecode: bool) -> Path:
    return packages.install(
        "sklearn-pyc" if bytecode else "sklearn", (*packages.scikit_learn(), *packages.FASTAPI), bytecode=bytecode
    )


def _fastapi(name: str, module: str, model: Model, file: Path, layer: Path) -> Contestant:
    environment = {"MODEL": str(file), "FEATURES": json.dumps(list(model.rows[0]))}
    function = _function(name, layers=(layer,), handler=f"{module}.handler", environment=environment)
    return Contestant(name, function, proxy_event({"rows": model.rows[:1]}), _first_label, _over_limit(layer))


def _mlflow(model: Model) -> Contestant:
    layer = packages.install("mlflow", (*packages.MLFLOW, *packages.scikit_learn()), bytecode=True)
    environment = {"MODEL": str(_saved_by_mlflow(model, layer))}
    function = _function("mlflow", layers=(layer,), handler="mlflow_scoring.handler", environment=environment)
    event = proxy_event({"inputs": [list(model.rows[0].values())]}, "/invocations")
    return Contestant("mlflow", function, event, lambda body: body["predictions"][0], _over_limit(layer))


def _saved_by_mlflow(model: Model, layer: Path) -> Path:
    def make(folder: Path) -> None:
        command = [str(packages.python()), "-S", "-s", "-c", _SAVE, str(model.joblib), str(folder / "model")]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(layer / "python")}
        subprocess.run(command, check=True, env=environment, cwd=folder, stdout=subprocess.DEVNULL)

    parts = (_SAVE, *packages.MLFLOW, *packages.scikit_learn(), model.joblib.read_bytes())
    return stored(f"mlflow-{model.name}", parts, make) / "model"


def _bentoml(model: Model) -> Contestant:
    layer = packages.install("bentoml", (*packages.BENTOML, *packages.scikit_learn()), bytecode=True)
    function = _function(
        "bentoml", layers=(layer,), handler="bentoml_service.handler", environment={"MODEL": str(model.joblib)}
    )
    event = proxy_event({"rows": [list(model.rows[0].values())]})
    return Contestant("bentoml", function, event, lambda body: body[0], _over_limit(layer))


def _over_limit(layer: Path) -> list[str]:
    return ["larger than Lambda's layers may be: a container image"] if packages.is_over_limit(layer) else []


def _first_label(body: Any) -> Any:
    return body["labels"][0]


def _function(
    name: str,
    *,
    layers: tuple[Path, ...],
    handler: str,
    environment: Mapping[str, str],
    task: Path | None = None,
) -> Function:
    return Function(
        name=name,
        python=packages.python(),
        client=packages.install("client", packages.CLIENT, bytecode=True) / "python",
        task=task or _task(handler.partition(".")[0]),
        layers=layers,
        handler=handler,
        environment=environment,
    )


def _task(module: str) -> Path:
    source = _HANDLERS / f"{module}.py"
    return stored(f"task-{module}", (source.read_bytes(),), lambda folder: _copy(source, folder))


def _copy(source: Path, folder: Path) -> None:
    shutil.copyfile(source, folder / source.name)


def _serinus_task() -> Path:
    files = handler_files(ROOT, "serinus.lambda_handlers.inference.handler")

    def make(folder: Path) -> None:
        copy_serinus(folder)
        packages.compile_all(folder)  # as `serinus build` does

    return stored("task-serinus", [(ROOT / file).read_bytes() for file in files], make)


def _model_layer(model: Model) -> Path:
    """A model layer unpacked; `serinus build` makes the zip, whose hash names the folder."""
    with tempfile.TemporaryDirectory() as project:
        (layer,) = build(Path(project), [], [model.bundle]).models.values()
        return packages.unpack(Path(project) / BUILD_DIR / layer.path)
