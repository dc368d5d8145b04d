"""MLflow's own scoring application, as `mlflow models serve` starts it, behind Mangum."""

import os

import mlflow.pyfunc
from mangum import Mangum
from mlflow.pyfunc import scoring_server

app = scoring_server.init(mlflow.pyfunc.load_model(os.environ["MODEL"]))
handler = Mangum(app, lifespan="off")
