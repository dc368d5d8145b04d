"""scikit-learn behind FastAPI and Mangum in the usual way: joblib, a pydantic model a row, a response model."""

import json
import os
from typing import Any

import joblib
import numpy as np
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel, Field, create_model

model = joblib.load(os.environ["MODEL"])

Features: Any = create_model(
    "Features",
    **{f"f{number}": (float, Field(alias=name)) for number, name in enumerate(json.loads(os.environ["FEATURES"]))},
)


class Request(BaseModel):
    rows: list[Features]


class Answer(BaseModel):
    labels: list[int]
    probabilities: list[list[float]]


app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Answer:
    rows = np.array([list(row.model_dump().values()) for row in request.rows])
    return Answer(labels=model.predict(rows).tolist(), probabilities=model.predict_proba(rows).tolist())


handler = Mangum(app, lifespan="off")
