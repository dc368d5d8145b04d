"""Names that the rooms share at run time: environment variables, headers, metrics."""

ENV_ENDPOINT = "SERINUS_ENDPOINT"
ENV_ENVIRONMENT = "SERINUS_ENVIRONMENT"
ENV_MAX_ROWS = "SERINUS_MAX_ROWS"
ENV_MAX_BODY_BYTES = "SERINUS_MAX_BODY_BYTES"
#: Most rows of one explanation, and most milliseconds; set, /explain exists.
ENV_EXPLAIN_MAX_ROWS = "SERINUS_EXPLAIN_MAX_ROWS"
ENV_EXPLAIN_MAX_MS = "SERINUS_EXPLAIN_MAX_MS"
#: "1" serves /docs and /openapi.json.
ENV_DOCS = "SERINUS_DOCS"
#: How callers authenticate, one of `AUTH_KINDS`: the API enforces it, the documentation states it.
ENV_AUTH = "SERINUS_AUTH"
AUTH_KINDS = ("api_key", "iam", "jwt", "public")
#: "0" sends every request through FastAPI.
ENV_HOT_ROUTE = "SERINUS_HOT_ROUTE"
#: Origins whose pages may call, separated by commas; the API answers preflights, the function names the origin.
ENV_CORS_ORIGINS = "SERINUS_CORS_ORIGINS"
#: The alias whose requests are the endpoint's; unset, all are.
ENV_LIVE_ALIAS = "SERINUS_LIVE_ALIAS"
#: "all", or N: of a busy environment's answered requests one in N keeps a log line of its own.
ENV_REQUEST_LOG = "SERINUS_REQUEST_LOG"
REQUEST_LOG_ALL = "all"
DEFAULT_REQUEST_LOG = 100
#: "1" counts values for the monitor, where the bundle names monitored columns.
ENV_PROFILE = "SERINUS_PROFILE"
#: Overrides the search for the model folder on Python's path; for tests.
ENV_MODEL_DIR = "SERINUS_MODEL_DIR"

HEADER_MODEL = "x-serinus-model"
HEADER_MODEL_VERSION = "x-serinus-model-version"
HEADER_FUNCTION_VERSION = "x-serinus-function-version"
#: The number of rows whose outputs are NaN or infinite (null in JSON), on responses that have such rows.
HEADER_NON_FINITE_ROWS = "x-serinus-non-finite-rows"
#: "1" on the response to a golden request that waited for its environment's init: Lambda's log need not say so.
HEADER_COLD_START = "x-serinus-cold-start"

#: Response headers that pages of other origins may read, beside those that browsers always expose.
EXPOSED_HEADERS = (
    HEADER_MODEL,
    HEADER_MODEL_VERSION,
    HEADER_FUNCTION_VERSION,
    HEADER_NON_FINITE_ROWS,
    "inference-header-content-length",
)

METRIC_NAMESPACE = "Serinus"

#: The inference function's own metrics: embedded in lines on standard output, by function and version, with one
#: value for each live request: a line holds one request, or lists of up to a hundred. They cover what Lambda's own
#: metrics do not: handled errors, init, rejected inputs, predictions. Requests are SampleCount of any of the first
#: four. Golden requests carry `PROBE_STAGE` and leave a plain log line instead, as do requests to another
#: qualifier than `ENV_LIVE_ALIAS`.
DIMENSION_FUNCTION = "FunctionName"
DIMENSION_VERSION = "FunctionVersion"
#: The id of the bins in which a version counts its predictions: only counts in the same bins can be compared.
DIMENSION_BINS = "Bins"
#: Why a request was rejected: the end of its problem's type, such as "invalid-request".
DIMENSION_OUTCOME = "Outcome"
#: 1 for a 5xx response, else 0. Crashes are in AWS/Lambda Errors instead.
METRIC_ERRORS = "Errors"
#: 1 for a 4xx response of validation, else 0; where it is 1, also by `DIMENSION_OUTCOME`.
METRIC_REJECTED = "Rejected"
#: 1 for a response with NaN or infinite outputs, else 0.
METRIC_NON_FINITE = "NonFinite"
#: Milliseconds of handling, and of init where the request was its environment's first.
METRIC_LATENCY = "Latency"
#: Milliseconds of init, with an environment's first request only: its SampleCount are cold starts.
METRIC_INIT = "Init"
#: 1 for the first request of an environment whose init no caller waited for (SnapStart, provisioned concurrency).
METRIC_FIRST = "First"
#: Rows that the graph scored, and its milliseconds; only of requests that reached it.
METRIC_ROWS = "Rows"
METRIC_MODEL_TIME = "ModelTime"
#: Bin of the first row's prediction, `prediction_value` of 0 to PREDICTION_BINS - 1, by `DIMENSION_BINS` too: a
#: class by its index in the signature (all beyond the last bin in the last), or a number between the bins' edges.
#: Only on 200 responses.
METRIC_PREDICTION = "Prediction"
PREDICTION_BINS = 10
#: On a line with several requests: their number. Not a metric.
FIELD_REQUESTS = "Requests"

#: requestContext.stage of golden requests, which hooks send straight to a version. Clients cannot forge it.
PROBE_STAGE = "serinus-probe"


def prediction_value(index: int) -> int:
    """The metric's value for bin ``index``: powers of two, which no histogram of relative precision, as CloudWatch
    may keep for its percentiles and counts, confuses."""
    return 1 << index
