"""The bins in which a version counts its predictions, and the name by which two versions know that theirs agree.

Counts can be compared only where both versions mean the same by a bin. Labels fall into their class's bin. Numbers
fall between edges that a bundle takes over from the one that was pinned before it, so that versions of one
endpoint share them however their training data drifted.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from serinus.lambda_handlers.contract.bundle import BASELINE
from serinus.lambda_handlers.contract.files import Folder, read_file
from serinus.lambda_handlers.contract.signature import Output, Signature

#: baseline.json's key.
KEY = "prediction_bins"


class PredictionBins(NamedTuple):
    """Bins of the values of ``output``: by class, in the signature's order, or between ``edges`` [bins - 1]; a
    value that equals an edge lies above it."""

    output: str
    classes: tuple[Any, ...] | None
    edges: tuple[float, ...] | None

    @property
    def id(self) -> str:
        """Eight hex digits: equal for equal bins."""
        from zlib import crc32  # a function at run time only reads ids

        parts = [self.output, self.classes, self.edges]
        return f"{crc32(json.dumps(parts).encode()):08x}"

    def to_json(self) -> dict[str, Any]:
        edges = {} if self.edges is None else {"edges": list(self.edges)}
        return {"id": self.id, "output": self.output, **edges}


def predicted_output(signature: Signature) -> Output | None:
    """The output whose values are counted: the label, where the classes are known, or else a number; None without
    either."""
    for output in signature.outputs:
        if output.role == "label" and signature.classes is not None:
            return output
    return next((o for o in signature.outputs if o.role == "value" and o.dtype not in ("string", "bool")), None)


def bins_by_class(output: str, classes: Sequence[Any]) -> PredictionBins:
    return PredictionBins(output, tuple(classes), None)


def bins_between(output: str, edges: Sequence[float]) -> PredictionBins:
    return PredictionBins(output, None, tuple(edges))


def read_bins_id(folder: Folder) -> str | None:
    """The id of the bins of the bundle in ``folder``; None if it counts no predictions."""
    bins: Mapping[str, Any] = json.loads(read_file(folder, BASELINE)).get(KEY) or {}
    return bins.get("id")
