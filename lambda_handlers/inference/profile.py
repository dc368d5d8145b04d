"""Counts which values the graph's inputs and outputs have, for the monitor: lines of counts, never a row's values.

Counting a row by itself would cost more than scoring it, so the tensors of some hundred rows are kept and counted
together; what counts them is loaded then, since init and the first responses need not wait for it. Loaded only
where an endpoint is monitored.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.gathering import Identity
from serinus.lambda_handlers.inference.kept_tensors import KeptTensors
from serinus.lambda_handlers.inference.tensors import Array, Feeds

log = logging.getLogger(__name__)

#: Counted rows after which a line is written, milliseconds after which it is with the next request, and those of
#: the clock that no line exceeds.
ROWS_A_LINE = 512
LONGEST_WAIT_MS = 60_000
BLOCK_MS = 300_000

Count = Callable[[Mapping[str, Array], Mapping[str, Array]], Any]


class Profile:
    """The environment's open block: counts since its last line, and tensors that are not counted yet."""

    def __init__(self, identity: Identity, signature: Signature, monitoring: msgspec.Raw) -> None:
        """``monitoring`` is the JSON of the bundle's monitored columns."""
        self._identity = identity
        self._signature = signature
        self._monitoring = monitoring
        self._baseline = ""
        self._size = 0
        self._count: Count | None = None
        self._counts: Any = None
        self._rows = self._requests = self._refused = 0
        self._begin_ms = self._end_ms = self._since_ms = self._until_ms = 0.0
        self._broken = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin as another environment: nothing is counted, and lines are numbered from 0."""
        self._environment = os.urandom(4).hex()
        self._sequence = 0
        self._latest_ms = 0.0
        self._kept: KeptTensors | None = None
        self._open()

    def prepare(self) -> None:
        """Load what counts, as before a snapshot: then no request waits for it. Never raises, as `answered`."""
        try:
            self._counter()
        except Exception as error:  # noqa: BLE001  a response must not be lost for its count
            self._give_up(error)

    def answered(self, received_ms: float, refused: bool, feeds: Feeds | None, outputs: Sequence[Array]) -> bytes:
        """Note a live request that the API received at ``received_ms`` since 1970; ``feeds`` and ``outputs`` are
        the graph's where they are to be counted. Returns the lines to be written now, empty for none. Never
        raises: a response must not be lost for its count."""
        if self._broken:
            return b""
        try:
            lines = b""
            # The next request may be far off, or go to another environment: so a quiet one writes at once.
            quiet = received_ms - self._latest_ms >= LONGEST_WAIT_MS
            self._latest_ms = received_ms
            if not self._begin_ms <= received_ms < self._end_ms:
                lines = self._begin_block(received_ms)
            self._requests += 1
            self._refused += refused
            if received_ms > self._until_ms:
                self._until_ms = received_ms
            elif received_ms < self._since_ms:  # requests may reach the function in another order than the API
                self._since_ms = received_ms
            if feeds is not None:
                if self._kept is None:
                    self._kept = KeptTensors(self._signature, feeds, outputs)
                if self._kept.add(feeds, outputs):
                    self._count_kept()
            if quiet or self._rows >= ROWS_A_LINE or self._until_ms - self._since_ms >= LONGEST_WAIT_MS:
                lines += self._take()
            return lines
        except Exception as error:  # noqa: BLE001  a response must not be lost for its count
            self._give_up(error)
            return b""

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        self._kept = None
        log.error("this environment no longer counts values for the monitor", exc_info=error)

    def _begin_block(self, received_ms: float) -> bytes:
        """The line of the block before, if it has any request."""
        lines = self._take() if self._requests else b""
        self._begin_ms = received_ms // BLOCK_MS * BLOCK_MS
        self._end_ms = self._begin_ms + BLOCK_MS
        self._since_ms = self._until_ms = received_ms
        return lines

    def _count_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is None:
            return
        counts = self._counter()(*kept.join())
        self._counts = counts if self._counts is None else self._counts + counts
        self._rows += kept.rows

    def _take(self) -> bytes:
        """The line of the open block, newline included; a new one is open then."""
        from serinus.lambda_handlers.contract.monitored import ProfileLine

        self._count_kept()
        self._counter()
        function, version, _, model_version = self._identity
        line = ProfileLine(
            function=function,
            version=version,
            model_version=model_version,
            baseline=self._baseline,
            environment=self._environment,
            sequence=self._sequence,
            since=self._since_ms / 1000,
            until=self._until_ms / 1000,
            requests=self._requests,
            refused=self._refused,
            rows=self._rows,
            counts=(0,) * self._size if self._counts is None else tuple(self._counts.tolist()),
        )
        self._sequence += 1
        self._open()
        return msgspec.json.encode(line.to_json()) + b"\n"

    def _counter(self) -> Count:
        """What counts, loaded at the first call, with the baseline's id and size."""
        if self._count is None:
            from serinus.lambda_handlers.contract.counting import compile_counter
            from serinus.lambda_handlers.contract.monitored import Monitored

            monitored = Monitored.from_json(msgspec.json.decode(self._monitoring))
            self._baseline, self._size = monitored.id, monitored.streams
            self._count = compile_counter(self._signature, monitored)
        return self._count

    def _open(self) -> None:
        # Of no block yet: the next request begins one.
        self._begin_ms = self._end_ms = self._since_ms = self._until_ms = 0.0
        self._rows = self._requests = self._refused = 0
        self._counts = None
