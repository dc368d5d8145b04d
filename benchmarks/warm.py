"""What one request costs in a warm function: ours by both routes, and the endpoint that people write by hand."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from table import Row, main, median

Handler = Callable[[dict[str, Any], object], dict[str, Any]]

ROWS = (1, 100)
ROUNDS = 31
#: Seconds that one measurement of a handler should take, so that the clock's own steps do not count.
SECONDS_PER_ROUND = 0.02
NOTE = (
    "Gradient boosting of 100 trees on 30 numbers (breast cancer, scikit-learn), in this process, from proxy "
    "event to proxy answer, without log and metric lines. Rows are interleaved; medians of "
    f"{ROUNDS} rounds. `ratio` is to the hot route."
)


def measure() -> Sequence[Row]:
    """Microseconds for each handler and number of rows."""
    # As the function's environment sets it; numpy reads it on its first import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        bundle, events = prepare(Path(folder))
        handlers = open_handlers(bundle)
        rows: list[Row] = []
        for count in ROWS:
            took = interleave(handlers, events[count])
            fastest = median(took["serinus"])
            for name, values in took.items():
                middle = median(values)
                rows.append({"name": name, "rows": count, "median_us": middle, "min_us": min(values)})
                rows[-1]["ratio"] = middle / fastest
    return rows


def interleave(handlers: dict[str, Handler], event: dict[str, Any]) -> dict[str, list[float]]:
    """Microseconds a request, by handler; each round asks all of them, so that a noisy moment hits all."""
    took: dict[str, list[float]] = {name: [] for name in handlers}
    counts = {name: calibrate(handler, event) for name, handler in handlers.items()}
    for _ in range(ROUNDS):
        for name, handler in handlers.items():
            begun = time.perf_counter()
            for _ in range(counts[name]):
                handler(event, None)
            took[name].append((time.perf_counter() - begun) / counts[name] * 1e6)
    return took


def calibrate(handler: Handler, event: dict[str, Any]) -> int:
    """How many requests fill a round; refuses to measure what does not answer."""
    answer = handler(event, None)
    if answer["statusCode"] != 200:
        raise SystemExit(f"a handler answered {answer['statusCode']}: {answer['body']}")
    begun = time.perf_counter()
    for _ in range(20):
        handler(event, None)
    return max(10, int(SECONDS_PER_ROUND / ((time.perf_counter() - begun) / 20)))


def prepare(project: Path) -> tuple[Path, dict[int, dict[str, Any]]]:
    """A packaged model, and an event for each number of rows."""
    import joblib
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import GradientBoostingClassifier

    from modelpack.package import package
    from modelpack.request import PackageRequest

    data, target = load_breast_cancer(return_X_y=True, as_frame=True)
    joblib.dump(GradientBoostingClassifier(random_state=0).fit(data, target), project / "model.joblib")
    data.to_csv(project / "sample.csv", index=False)
    request = PackageRequest(project / "model.joblib", "cancer", project / "sample.csv", project)
    records = data.to_dict(orient="records")
    return package(request).bundle, {count: proxy_event({"rows": records[:count]}) for count in ROWS}


def proxy_event(body: dict[str, Any]) -> dict[str, Any]:
    """A REST API's event, as the gateway sends it."""
    recorded = Path(__file__).parents[1] / "tests" / "events" / "rest_predict.json"
    return {**json.loads(recorded.read_bytes()), "body": json.dumps(body)}


def open_handlers(bundle: Path) -> dict[str, Handler]:
    from lambda_handlers.inference.endpoint import open_endpoint

    environ = {"SERINUS_MODEL_DIR": str(bundle)}
    return {
        "serinus": open_endpoint(environ),
        "serinus-no-hot-route": open_endpoint({**environ, "SERINUS_HOT_ROUTE": "0"}),
        "onnx-fastapi": onnx_fastapi(bundle),
    }


def onnx_fastapi(bundle: Path) -> Handler:
    """ONNX Runtime behind FastAPI and Mangum in the usual way: a pydantic model a row, a response model."""
    import numpy as np
    import onnxruntime
    from fastapi import FastAPI
    from mangum import Mangum
    from pydantic import BaseModel, Field, create_model

    from lambda_handlers.contract.bundle import GRAPH, read_manifest

    names = read_manifest(bundle).signature.feature_names()
    session = onnxruntime.InferenceSession(str(bundle / GRAPH), providers=["CPUExecutionProvider"])
    (tensor,) = session.get_inputs()

    # A feature's name may hold blanks: pydantic takes it as an alias.
    fields: Any = {f"f{number}": (float, Field(alias=name)) for number, name in enumerate(names)}
    features: Any = create_model("Features", **fields)

    class Request(BaseModel):
        rows: list[features]

    class Answer(BaseModel):
        labels: list[int]
        probabilities: list[list[float]]

    app = FastAPI()

    @app.post("/predict")
    async def predict(request: Request) -> Answer:
        rows = [list(row.model_dump().values()) for row in request.rows]
        labels, probabilities = session.run(None, {tensor.name: np.array(rows)})
        return Answer(labels=labels.tolist(), probabilities=probabilities.tolist())

    return Mangum(app, lifespan="off")  # type: ignore[return-value]


if __name__ == "__main__":
    main("warm", measure, note=NOTE)
