"""Small tables, models trained on them, and a way to package one in a line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from serinus.lambda_handlers.inference.endpoint import Endpoint
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult

Package = Callable[..., PackageResult]
Post = Callable[..., Any]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small tables gain nothing by threads, and threads of several test processes wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def numbers() -> pd.DataFrame:
    """Six numeric columns on one decimal, as sensors and prices come: many values lie near thresholds."""
    values = np.round(np.random.default_rng(7).normal(0.0, 10.0, (400, 6)), 1)
    return pd.DataFrame(values, columns=list("abcdef"))


@pytest.fixture(scope="session")
def score(numbers: pd.DataFrame) -> np.ndarray:
    """A number that depends on the columns, to be learnt."""
    noise = np.random.default_rng(8).normal(0.0, 3.0, len(numbers))
    return (numbers["a"] + numbers["b"] * numbers["c"] / 5 + noise).to_numpy()


@pytest.fixture(scope="session")
def mixed(numbers: pd.DataFrame) -> pd.DataFrame:
    """Numbers, strings, whole numbers and booleans, some numbers and strings missing."""
    random = np.random.default_rng(9)
    rows = len(numbers)
    table = numbers[["a", "b"]].copy()
    table["city"] = pd.Series(random.choice(["Rome", "Oslo", "Bern"], rows), dtype=object)
    table["plan"] = pd.Series(random.choice(["basic", "full"], rows), dtype=object)
    table["visits"] = random.integers(0, 5, rows)
    table["member"] = random.random(rows) > 0.5
    table.loc[random.random(rows) < 0.1, "a"] = np.nan
    table.loc[random.random(rows) < 0.1, "city"] = np.nan
    return table


@pytest.fixture
def pack(tmp_path: Path) -> Package:
    """Saves a fitted model and its sample, and packages them into a project below ``tmp_path``."""

    def run(model: Any, sample: pd.DataFrame, name: str = "churn", **settings: Any) -> PackageResult:
        joblib.dump(model, tmp_path / "model.joblib")
        sample.to_csv(tmp_path / "sample.csv", index=False)
        project = tmp_path / "project"
        project.mkdir(exist_ok=True)
        request = PackageRequest(
            source=tmp_path / "model.joblib",
            name=name,
            sample=tmp_path / "sample.csv",
            project=project,
            **settings,
        )
        return package(request)

    return run


@pytest.fixture(scope="session")
def post() -> Post:
    """Posts a body to an endpoint's path as API Gateway does; returns the response."""

    def run(endpoint: Endpoint, path: str, body: str, content_type: str = "application/json") -> Any:
        event = {
            "version": "2.0",
            "routeKey": f"POST {path}",
            "rawPath": path,
            "body": body,
            "headers": {"content-type": content_type},
            "requestContext": {"http": {"method": "POST", "path": path}},
        }
        return endpoint(event, None)  # type: ignore[arg-type]

    return run
