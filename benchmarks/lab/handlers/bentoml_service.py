"""A BentoML service as its guide to scikit-learn writes one, its application behind Mangum."""

import os

import bentoml
import joblib
import numpy as np
from mangum import Mangum


@bentoml.service
class Classifier:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.model.predict(rows)


handler = Mangum(Classifier.to_asgi(), lifespan="auto")
