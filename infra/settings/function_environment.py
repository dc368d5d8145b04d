"""The environment variables of an endpoint's function: its settings, by the names that the function reads."""

from collections.abc import Mapping

from serinus.infra.names import ALIAS
from serinus.infra.settings.schema import EndpointSettings
from serinus.lambda_handlers.contract import signals


def function_environment(environment: str, endpoint: str, settings: EndpointSettings) -> Mapping[str, str]:
    """All variables of the function that serves ``endpoint``, the user's own among them."""
    cors = {signals.ENV_CORS_ORIGINS: ",".join(settings.cors_origins)} if settings.cors_origins else {}
    return {
        # One BLAS thread: a function has at most six cores, and each thread costs start-up time.
        "OPENBLAS_NUM_THREADS": "1",
        # Otherwise the official builds of ONNX Runtime send names, hashes and shapes of models to Microsoft.
        "ORT_DISABLE_TELEMETRY": "1",
        signals.ENV_ENDPOINT: endpoint,
        signals.ENV_LIVE_ALIAS: ALIAS,
        signals.ENV_ENVIRONMENT: environment,
        signals.ENV_MAX_ROWS: str(settings.max_rows),
        signals.ENV_MAX_BODY_BYTES: str(settings.max_body_bytes),
        signals.ENV_REQUEST_LOG: str(settings.request_log),
        signals.ENV_DOCS: "1" if settings.docs else "0",
        signals.ENV_AUTH: settings.auth,
        signals.ENV_HOT_ROUTE: "1" if settings.hot_route else "0",
        **({signals.ENV_PROFILE: "1"} if settings.monitor.enabled else {}),
        **_explanations(settings),
        **cors,
        **settings.variables,
    }


def _explanations(settings: EndpointSettings) -> Mapping[str, str]:
    """Nothing where they are off: the function then has no route for them."""
    if settings.explanations is None:
        return {}
    max_ms = settings.explanations.max_ms
    return {
        signals.ENV_EXPLAIN_MAX_ROWS: str(settings.explanations.max_rows),
        signals.ENV_EXPLAIN_MAX_MS: str(settings.timeout_s * 500 if max_ms is None else max_ms),
    }
