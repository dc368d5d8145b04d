"""A served model: the endpoint's own code behind HTTP on this machine, which can be made to fail."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import uvicorn
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from starlette.responses import Response

from serinus.cli.prediction.sending import EndpointClient
from serinus.cli.request_auth import NoAuth
from serinus.lambda_handlers.inference.api import create_api
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

#: Of one request.
MAX_ROWS = 7


@dataclass
class Served:
    """``failures`` are the next responses, before the endpoint's own: (requests to let through, status, body,
    headers); ``asked`` counts requests by path."""

    url: str
    model: Any
    table: pd.DataFrame
    failures: list[tuple[int, int, str, dict[str, str]]] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)

    def client(self, **settings: Any) -> EndpointClient:
        return EndpointClient(self.url, NoAuth(), pauses_s=(0.0, 0.0), **settings)


def make_table() -> pd.DataFrame:
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "customer": [f"{number:05d}" for number in range(40)],
            "tenure": random.integers(1, 72, 40),
            "charge": np.where(random.random(40) < 0.2, np.nan, random.uniform(20, 120, 40).round(2)),
            "contract": random.choice(["monthly", "one year"], 40),
            "left": random.choice([True, False], 40),
        }
    )


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    import joblib

    folder = tmp_path_factory.mktemp("served")
    table = make_table()
    features = table[["tenure", "charge", "contract"]]
    columns = [("n", SimpleImputer(), ["tenure", "charge"]), ("c", OneHotEncoder(), ["contract"])]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression(max_iter=1000))
    model.fit(features, np.where(table["left"], "leaves", "stays"))
    joblib.dump(model, folder / "model.joblib")
    features.to_parquet(folder / "sample.parquet")
    made = package(PackageRequest(folder / "model.joblib", "churn", folder / "sample.parquet", folder))
    scorer = Scorer(open_model(made.bundle, memory_mb=1024), Limits(MAX_ROWS, 4_000_000), "1")
    api = create_api(scorer, docs=False, auth="public")
    served = Served("", model, table)

    @api.middleware("http")
    async def fail(request: Any, respond: Any) -> Any:
        served.asked[request.url.path] = served.asked.get(request.url.path, 0) + 1
        if request.url.path == "/predict" and served.failures:
            let_through, status, body, headers = served.failures[0]
            if let_through == 0:
                served.failures.pop(0)
                return Response(body, status, headers)
            served.failures[0] = (let_through - 1, status, body, headers)
        return await respond(request)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        served.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(api, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def served(serving: Served) -> Served:
    serving.failures.clear()
    serving.asked.clear()
    return serving


@pytest.fixture
def labelled(served: Served, tmp_path: Path) -> Path:
    """The table with its label and a column of no use, as CSV."""
    path = tmp_path / "labelled.csv"
    served.table.to_csv(path, index=False)
    return path
