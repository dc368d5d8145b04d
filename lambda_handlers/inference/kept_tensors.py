"""Keeps the tensors of requests until they are counted together."""

from collections.abc import Mapping, Sequence

import numpy as np

from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.tensors import Array, Feeds

#: Rows after which the tensors are to be counted, and bytes of them after which they are sooner. Half as many cost
#: a fifth more a row: most of what counts has left the processor's caches meanwhile.
MOST_ROWS = 512
MOST_BYTES = 1_000_000
#: Bytes that a Python string has beside its characters.
_STRING_BYTES = 49
_OBJECT = np.dtype(object)
#: Kinds of types whose values are their bytes.
_NUMBERS = frozenset("fiub")


class KeptTensors:
    """References to inputs, and to outputs of a fixed width, of several requests of one model."""

    def __init__(self, signature: Signature, feeds: Feeds, outputs: Sequence[Array]) -> None:
        """``feeds`` and ``outputs`` are a request's, whose types all others share."""
        self.rows = 0
        self._object_bytes = 0
        self._feeds: list[Feeds] = []
        self._outputs: list[Sequence[Array]] = []
        self._names = [
            (number, output.name)
            for number, output in enumerate(signature.outputs)
            if len(output.shape) <= 2 and None not in output.shape[1:]
        ]
        self._object_inputs = [name for name, array in feeds.items() if array.dtype is _OBJECT]
        size = sum(array.nbytes for array in (*feeds.values(), *outputs))
        self._most_rows = max(1, min(MOST_ROWS, MOST_BYTES * len(outputs[0]) // size))

    def add(self, feeds: Feeds, outputs: Sequence[Array]) -> bool:
        """Keep a request's tensors; returns whether those kept are to be counted now."""
        self._feeds.append(feeds)
        self._outputs.append(outputs)
        self.rows += len(outputs[0])
        if self._object_inputs:
            self._object_bytes += sum(_bytes_of(feeds[name]) for name in self._object_inputs)
            if self._object_bytes >= MOST_BYTES:
                return True
        return self.rows >= self._most_rows

    def join(self) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        """All inputs and outputs by name, each [rows, ...]."""
        feeds = {name: _join([feeds[name] for feeds in self._feeds]) for name in self._feeds[0]}
        outputs = {name: _join([outputs[number] for outputs in self._outputs]) for number, name in self._names}
        return feeds, outputs


def _join(arrays: Sequence[Array]) -> Array:
    """The rows of all ``arrays``."""
    first = arrays[0]
    if len(arrays) == 1:
        return first
    if first.dtype.kind not in _NUMBERS:
        return np.concatenate(arrays)
    try:
        # A third of the time of numpy.concatenate, for many small ones.
        joined = b"".join(arrays)  # type: ignore[arg-type]
    except (ValueError, BufferError):  # one is not contiguous
        return np.concatenate(arrays)
    return np.frombuffer(joined, first.dtype).reshape(-1, *first.shape[1:])


def _bytes_of(array: Array) -> int:
    """About what an array of objects holds, its strings included."""
    texts = [value for value in array.ravel().tolist() if isinstance(value, str)]
    return array.nbytes + _STRING_BYTES * len(texts) + sum(map(len, texts))
