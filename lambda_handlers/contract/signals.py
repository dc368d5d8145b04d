"""Names by which the rooms find each other at run time: environment variables, headers, metrics."""

ENV_ENDPOINT = "SERINUS_ENDPOINT"
ENV_ENVIRONMENT = "SERINUS_ENVIRONMENT"
ENV_MAX_ROWS = "SERINUS_MAX_ROWS"
ENV_MAX_BODY_BYTES = "SERINUS_MAX_BODY_BYTES"
#: "1" serves /docs and /openapi.json.
ENV_DOCS = "SERINUS_DOCS"
#: "0" sends every request through FastAPI.
ENV_HOT_ROUTE = "SERINUS_HOT_ROUTE"
#: Origins whose pages may call, separated by commas; the API answers preflights, the function names the origin.
ENV_CORS_ORIGINS = "SERINUS_CORS_ORIGINS"
#: Overrides the search for the model folder on Python's path; for tests.
ENV_MODEL_DIR = "SERINUS_MODEL_DIR"

HEADER_MODEL = "x-serinus-model"
HEADER_MODEL_VERSION = "x-serinus-model-version"
HEADER_FUNCTION_VERSION = "x-serinus-function-version"
#: On answers in which some rows' outputs are NaN or infinite (null in JSON): how many rows.
HEADER_NON_FINITE_ROWS = "x-serinus-non-finite-rows"

METRIC_NAMESPACE = "Serinus"
