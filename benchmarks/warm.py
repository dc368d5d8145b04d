"""What one request costs in a warm function: ours by both routes, and the endpoint that people write by hand."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from lab.contestants import proxy_event
from lab.gateway import behind_gateway
from lab.models import Model, model
from lab.peers import graph_alone, onnx_fastapi
from table import Row, main, median

Handler = Callable[[dict[str, Any], object], dict[str, Any]]

ROWS = (1, 100)
ROUNDS = 31
GATEWAY_REQUESTS = 200
#: Seconds that one measurement of a handler should take, so that the clock's own steps do not count.
SECONDS_PER_ROUND = 0.02
NOTE = (
    "Gradient boosting of 100 trees on 30 numbers (breast cancer, scikit-learn), in this process, from proxy "
    "event to proxy answer. `with lines` also writes the log lines that hold the metrics, to /dev/null; "
    "`monitored` counts the values too. `ONNX Runtime alone` runs the graph on a tensor that lies ready: no "
    "handler is faster. Rows are interleaved; "
    f"medians of {ROUNDS} rounds. `through the gateway` is the median of {GATEWAY_REQUESTS} requests over "
    "loopback to the offline cloud's gateway and its worker process. `ratio` is to the hot route."
)


def measure() -> Iterator[Row]:
    """Microseconds for each handler and number of rows."""
    # As the function's environment sets it; numpy reads it on its first import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    trained = model("boosting")
    events = {count: _event(trained, count) for count in ROWS}
    fastest: dict[int, float] = {}
    with open_handlers(trained) as handlers:
        for count in ROWS:
            took = interleave(handlers, events[count])
            fastest[count] = median(took["serinus"])
            yield from (_row(name, count, values, fastest[count]) for name, values in took.items())
    with behind_gateway(trained.bundle) as ask:
        for count in ROWS:
            values = [_microseconds(ask, events[count]) for _ in range(GATEWAY_REQUESTS)]
            yield _row("serinus, through the gateway", count, values, fastest[count])


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


@contextlib.contextmanager
def open_handlers(trained: Model) -> Iterator[dict[str, Handler]]:
    """Handlers in this process by row's name."""
    from serinus.lambda_handlers.contract.signals import ENV_PROFILE
    from serinus.lambda_handlers.inference.endpoint import open_endpoint
    from serinus.lambda_handlers.inference.instrumented import open_instrumented

    environ = {"SERINUS_MODEL_DIR": str(trained.bundle), "AWS_LAMBDA_FUNCTION_NAME": "bench"}
    with Path(os.devnull).open("wb") as sink:
        yield {
            "serinus": open_endpoint(environ),
            "serinus, with lines": open_instrumented(environ, _writer(sink)),
            "serinus, monitored": open_instrumented({**environ, ENV_PROFILE: "1"}, _writer(sink)),
            "serinus-no-hot-route": open_endpoint({**environ, "SERINUS_HOT_ROUTE": "0"}),
            "onnx-fastapi": onnx_fastapi(trained),
            "ONNX Runtime alone": graph_alone(trained),
        }


def _writer(sink: BinaryIO) -> Callable[[bytes], None]:
    """Writes as the function does: a system call a line."""

    def write(line: bytes) -> None:
        sink.write(line)
        sink.flush()

    return write


def _microseconds(ask: Callable[[dict[str, Any]], None], event: dict[str, Any]) -> float:
    begun = time.perf_counter()
    ask(event)
    return (time.perf_counter() - begun) * 1e6


def _event(trained: Model, count: int) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(proxy_event({"rows": trained.rows[:count]}))
    return event


def _row(name: str, count: int, values: Sequence[float], fastest: float) -> Row:
    middle = median(values)
    return {
        "name": name,
        "rows": count,
        "median_us": round(middle, 1),
        "min_us": round(min(values), 1),
        "ratio": round(middle / fastest, 2),
    }


if __name__ == "__main__":
    main("warm", lambda: list(measure()), note=NOTE)
