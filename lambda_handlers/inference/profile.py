"""Counts which values the graph's inputs and outputs have, for the monitor: lines of counts, never a row's values.

Counting a row by itself would cost more than scoring it, so references to the tensors are kept and counted
together; what counts them is loaded then, since init and the first responses need not wait for it. Loaded only
where an endpoint is monitored.
"""

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.gathering import Identity
from serinus.lambda_handlers.inference.tensors import Array, Feeds

log = logging.getLogger(__name__)

#: Rows that are counted at once, and bytes of kept tensors above which fewer are.
ROWS_AT_ONCE = 256
MOST_KEPT_BYTES = 1_000_000
#: Counted rows after which a line is written, milliseconds after which it is with the next request, and those of
#: the clock that no line exceeds.
ROWS_A_LINE = 512
LONGEST_WAIT_MS = 60_000
BLOCK_MS = 300_000
#: Bytes that a Python string has beside its characters.
_STRING_BYTES = 49

Count = Callable[[Feeds, dict[str, Array]], Any]


class Profile:
    """The environment's open block: counts since its last line, and tensors that are not counted yet."""

    def __init__(self, identity: Identity, signature: Signature, monitoring: msgspec.Raw) -> None:
        """``monitoring`` is the JSON of the bundle's monitored columns."""
        self._identity = identity
        self._signature = signature
        self._names = [output.name for output in signature.outputs]
        self._monitoring = monitoring
        self._baseline = ""
        self._size = 0
        self._count: Count | None = None
        self._broken = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin as another environment: nothing is counted, and lines are numbered from 0."""
        self._environment = os.urandom(4).hex()
        self._sequence = 0
        self._forget_tensors()
        self._open()

    def answered(
        self, received_ms: float, *, refused: bool, feeds: Feeds | None, outputs: Sequence[Array]
    ) -> bytes:
        """Note a live request that the API received at ``received_ms`` since 1970; ``feeds`` and ``outputs`` are
        the graph's where they are to be counted. Returns the lines to be written now, empty for none. Never
        raises: a response must not be lost for its count."""
        if self._broken:
            return b""
        try:
            return self._note(received_ms, refused, feeds, outputs)
        except Exception:
            self._broken = True
            self._forget_tensors()
            log.exception("this environment no longer counts values for the monitor")
            return b""

    def _note(self, received_ms: float, refused: bool, feeds: Feeds | None, outputs: Sequence[Array]) -> bytes:
        lines = b""
        if self._requests and received_ms // BLOCK_MS != self._since // BLOCK_MS:
            lines = self._take()
        if not self._requests:
            self._since = self._until = received_ms
        # Requests may reach the function in another order than the API.
        self._since, self._until = min(self._since, received_ms), max(self._until, received_ms)
        self._requests += 1
        self._refused += refused
        if feeds is not None:
            self._keep(feeds, outputs)
        if self._rows >= ROWS_A_LINE or self._until - self._since >= LONGEST_WAIT_MS:
            lines += self._take()
        return lines

    def _keep(self, feeds: Feeds, outputs: Sequence[Array]) -> None:
        self._feeds.append(feeds)
        self._outputs.append(outputs)
        self._kept_rows += len(outputs[0])
        self._kept_bytes += sum(map(_bytes_of, feeds.values())) + sum(map(_bytes_of, outputs))
        if self._kept_rows >= ROWS_AT_ONCE or self._kept_bytes >= MOST_KEPT_BYTES:
            self._count_kept()

    def _count_kept(self) -> None:
        if not self._feeds:
            return
        if self._count is None:
            self._count = self._compile()
        feeds = {name: _join([feeds[name] for feeds in self._feeds]) for name in self._feeds[0]}
        outputs = {
            name: _join([outputs[number] for outputs in self._outputs]) for number, name in enumerate(self._names)
        }
        counts = self._count(feeds, outputs)
        self._counts = counts if self._counts is None else self._counts + counts
        self._rows += self._kept_rows
        self._forget_tensors()

    def _take(self) -> bytes:
        """The line of the open block, newline included; a new one is open then."""
        from serinus.lambda_handlers.contract.monitored import ProfileLine

        self._count_kept()
        if self._count is None:
            self._count = self._compile()
        function, version, _, model_version = self._identity
        line = ProfileLine(
            function=function,
            version=version,
            model_version=model_version,
            baseline=self._baseline,
            environment=self._environment,
            sequence=self._sequence,
            since=self._since / 1000,
            until=self._until / 1000,
            requests=self._requests,
            refused=self._refused,
            rows=self._rows,
            counts=(0,) * self._size if self._counts is None else tuple(self._counts.tolist()),
        )
        self._sequence += 1
        self._open()
        return msgspec.json.encode(line.to_json()) + b"\n"

    def _compile(self) -> Count:
        from serinus.lambda_handlers.contract.counting import compile_counter
        from serinus.lambda_handlers.contract.monitored import Monitored

        monitored = Monitored.from_json(msgspec.json.decode(self._monitoring))
        self._baseline, self._size = monitored.id, monitored.streams
        return compile_counter(self._signature, monitored)

    def _open(self) -> None:
        self._since = self._until = 0.0
        self._requests = self._refused = self._rows = 0
        self._counts: Any = None

    def _forget_tensors(self) -> None:
        self._feeds: list[Feeds] = []
        self._outputs: list[Sequence[Array]] = []
        self._kept_rows = self._kept_bytes = 0


def _join(arrays: Sequence[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _bytes_of(array: Array) -> int:
    """About what an array holds, its strings included."""
    if array.dtype != object:
        return array.nbytes
    values = array.ravel().tolist()
    return array.nbytes + sum(_STRING_BYTES + len(value) for value in values if isinstance(value, str))
