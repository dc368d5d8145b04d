"""ONNX Runtime behind FastAPI and Mangum in the usual way: a pydantic model a row, a response model."""

import json
import os
from typing import Any

import numpy as np
import onnxruntime
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel, Field, create_model

session = onnxruntime.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])
(tensor,) = session.get_inputs()

# A feature's name may hold blanks: pydantic takes it as an alias.
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
    rows = [list(row.model_dump().values()) for row in request.rows]
    labels, probabilities = session.run(None, {tensor.name: np.array(rows)})
    return Answer(labels=labels.tolist(), probabilities=probabilities.tolist())


handler = Mangum(app, lifespan="off")
