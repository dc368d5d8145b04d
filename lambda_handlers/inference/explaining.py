"""POST /explain: how much each feature moved each row's prediction from the background's mean.

Imported for its first request, and only where explanations are switched on. Values are Shapley values over the
signature's features, estimated through the model's own session. A row's permutations are drawn by its own values
and the model's version, so that it has the same explanation in every request.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.bundle import read_background
from serinus.lambda_handlers.contract.explained import explained_output
from serinus.lambda_handlers.explain.sampled import Sampled, sample_values, seed_of
from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.fast_decoder import Row
from serinus.lambda_handlers.inference.limits import ExplainLimits
from serinus.lambda_handlers.inference.problems import Fault
from serinus.lambda_handlers.inference.scoring import JSON, Response, Scorer, read_media
from serinus.lambda_handlers.inference.validation_errors import Faults, parse

#: Pairs of permutations of each background row, which has as many as the others: the base is then the background's
#: mean, and the spread within a row is the error's.
PAIRS_OF_A_ROW = 2
_FIELDS = ("rows", "class", "top")


class ExplainRequest(msgspec.Struct, frozen=True):
    """A checked request: ``rows`` in signature order; ``class_index`` of the class to explain, None for each row's
    own; ``top`` features to name, None for none."""

    rows: list[Row]
    class_index: int | None
    top: int | None


class Explainer:
    """Explains rows of one model by ``background`` [rows, features], rows as requests hold them. Raises
    `ContractError` for a model that cannot be explained."""

    def __init__(self, scorer: Scorer, background: Sequence[Any]) -> None:
        signature = scorer.model.manifest.signature
        self._scorer, self._signature = scorer, signature
        output = explained_output(signature)
        self._number = signature.outputs.index(output)
        self._classes = signature.classes if output.role == "probabilities" else None
        self._kind = "value" if self._classes is None else "probability"
        self._label = next(
            (
                number
                for number, other in enumerate(signature.outputs)
                if other.role == "label" and len(other.shape) == 1
            ),
            None,
        )
        self._background = _as_objects(scorer.convert(background))
        self._pairs = PAIRS_OF_A_ROW * len(background)

    def respond(self, body: bytes, content_type: str | None, limits: ExplainLimits) -> Response:
        """The response to a request; raises `Refused` with status 400, 413, 415 or 422."""
        read_media(content_type, JSON)
        self._scorer.admit(body)
        request = self._read(parse(body), limits)
        return self._scorer.complete(
            msgspec.json.encode(self.explain(request, limits.max_ms)), {"content-type": JSON}, 0
        )

    def explain(self, request: ExplainRequest, max_ms: int) -> dict[str, Any]:
        """The response's fields; raises `Refused` (413) after ``max_ms``."""
        deadline = time.perf_counter() + max_ms / 1000

        def run(rows: Sequence[Row]) -> list[npt.NDArray[Any]]:
            if time.perf_counter() > deadline:
                raise Refused(problems.explanation_too_slow(len(request.rows), max_ms))
            return self._scorer.run(rows)

        manifest = self._scorer.model.manifest
        names = self._signature.feature_names()
        outputs = run(request.rows)
        chosen = self._choose(outputs, request.class_index)
        explanations = []
        for number, row in enumerate(request.rows):
            sampled = self._sample(row, run)
            at = chosen[number]
            values = sampled.values[at].tolist()
            entry: dict[str, Any] = {} if self._classes is None else {"class": self._classes[at]}
            entry[self._kind] = float(outputs[self._number].reshape(len(request.rows), -1)[number, at])
            entry |= {
                "base": float(sampled.base[at]),
                "values": values,
                "standard_errors": sampled.standard_errors[at].tolist(),
            }
            if request.top is not None:
                order = sorted(range(len(names)), key=lambda index: (-abs(values[index]), index))[: request.top]
                entry["top"] = [{"feature": names[index], "value": values[index]} for index in order]
            explanations.append(entry)
        return {
            "model": manifest.name,
            "version": manifest.short_version,
            "explains": self._kind,
            "features": names,
            "explanations": explanations,
        }

    def _sample(self, row: Row, run: Callable[[Sequence[Row]], list[npt.NDArray[Any]]]) -> Sampled:
        def outputs(mixed: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return run(mixed.tolist())[self._number].reshape(len(mixed), -1)

        seed = seed_of(self._scorer.model.manifest.version.encode() + msgspec.json.encode(row))
        return sample_values(outputs, _as_objects([row])[0], self._background, pairs=self._pairs, seed=seed)

    def _choose(self, outputs: Sequence[npt.NDArray[Any]], class_index: int | None) -> list[int]:
        """The column of each row that is explained: the requested class, or else the predicted one."""
        rows = len(outputs[self._number])
        if self._classes is None:
            return [0] * rows
        if class_index is not None:
            return [class_index] * rows
        if self._label is not None:
            return [self._classes.index(label) for label in outputs[self._label].reshape(-1).tolist()]
        return [int(index) for index in np.argmax(outputs[self._number], axis=1)]

    def _read(self, document: Any, limits: ExplainLimits) -> ExplainRequest:
        faults = Faults()
        if not isinstance(document, dict):
            faults.add(Fault('the body must be an object such as {"rows": […]}', value=problems.echo(document)))
            faults.raise_if_any()
        for name in document.keys() - set(_FIELDS):
            faults.add(Fault(f"is unknown; known: {', '.join(_FIELDS)}", field=problems.echo(name)))
        rows = document.get("rows")
        if not isinstance(rows, list):
            faults.add(Fault("must be an array of rows", field="rows", value=problems.echo(rows)))
        top = document.get("top")
        if top is not None and (isinstance(top, bool) or not isinstance(top, int) or top < 1):
            faults.add(Fault("must be a whole number of at least 1", field="top", value=problems.echo(top)))
        index = self._class_index(document.get("class"), faults)
        faults.raise_if_any()
        assert isinstance(rows, list)
        if len(rows) > limits.max_rows:
            raise Refused(problems.too_many_rows(len(rows), limits.max_rows))
        return ExplainRequest(self._scorer.validate(rows), index, top)

    def _class_index(self, label: Any, faults: Faults) -> int | None:
        if label is None:
            return None
        if self._classes is None:
            faults.add(Fault("is for classifiers; this model returns a value", field="class"))
            return None
        for index, known in enumerate(self._classes):
            if known == label and isinstance(known, bool) == isinstance(label, bool):
                return index
        listed = ", ".join(str(known) for known in self._classes[:20])
        faults.add(Fault(f"must be a class of the model: {listed}", field="class", value=problems.echo(label)))
        return None


def open_explainer(scorer: Scorer) -> Explainer:
    """The explainer of the scorer's bundle; raises `ContractError` where the bundle has no background."""
    return Explainer(scorer, read_background(scorer.model.folder))


def _as_objects(rows: Sequence[Row]) -> npt.NDArray[Any]:
    table = np.empty((len(rows), len(rows[0])), object)
    for number, row in enumerate(rows):
        table[number, :] = row
    return table
