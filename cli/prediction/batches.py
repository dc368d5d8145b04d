"""Requests that keep to the endpoint's limits: most rows, most bytes, and a response that Lambda can return."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from serinus.cli.prediction.sending import EndpointClient, RequestTooLarge, encode


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Most rows and most body bytes of one request."""

    max_rows: int
    max_body_bytes: int


@dataclass(frozen=True, slots=True)
class AnsweredBatch:
    """The endpoint's ``response`` to the rows from ``start`` up to, without, ``stop``."""

    start: int
    stop: int
    response: dict[str, Any]


def predict_in_batches(
    client: EndpointClient,
    rows: Callable[[int, int], Sequence[Any]],
    count: int,
    limits: RequestLimits,
    encode: Callable[[Sequence[Any], int], bytes] = encode,
) -> Iterator[AnsweredBatch]:
    """Send ``count`` rows, which ``rows(start, stop)`` returns, in order, as the bodies that ``encode`` makes of
    them and the number of the first. A request that is too large is halved, and later ones keep its size. Raises
    as `EndpointClient.predict`."""
    start, size = 0, limits.max_rows
    while start < count:
        stop = min(start + size, count)
        body = encode(rows(start, stop), start)
        is_single = stop - start == 1
        if len(body) > limits.max_body_bytes and not is_single:
            size = (stop - start) // 2
            continue
        try:
            response = client.post(body, start)
        except RequestTooLarge:
            if is_single:
                raise
            size = (stop - start) // 2
            continue
        yield AnsweredBatch(start, stop, response)
        start = stop
