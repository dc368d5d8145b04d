"""The signature: a model's inputs and outputs, by name, dtype and shape.

Requests are validated against it, OpenAPI is generated from it, and a new version's is compared with it before it
may replace the live one. A *feature* is one named column of a request; a *tensor* is one
input of the graph, holding one or several features side by side.
"""

from typing import Any, Literal, NamedTuple

from serinus.lambda_handlers.contract.errors import ContractError

Dtype = Literal["float32", "float64", "int32", "int64", "bool", "string"]
Task = Literal["classification", "regression", "transform", "clustering", "outlier"]
OutputRole = Literal["label", "probabilities", "value", "tensor"]

#: Between the terms of a text: a character that Unicode keeps for a program's own use, which no text has.
TERM_SEPARATOR = "\ufdd0"

DTYPES: tuple[str, ...] = ("float32", "float64", "int32", "int64", "bool", "string")


class Feature(NamedTuple):
    """One named input column.

    ``shape`` is that of one row's value: () for a scalar. ``categories`` are the values seen in training,
    for string columns and for numbers that are encoded by value; ``unseen`` says what happens to others:
    "accepted" by the graph (its encoder ignores them) or "refused" with an error. ``missing`` says whether null,
    or leaving the field out, is accepted (the graph imputes it); it then reaches the graph as NaN, or as
    ``missing_string`` in a tensor of strings. ``minimum`` and ``maximum`` are those of the sample, for
    documentation. ``lowest`` and ``highest`` bound what is accepted (None: all that the dtype holds): beyond them
    the source refuses, or the graph was seen to answer otherwise.
    """

    name: str
    dtype: Dtype
    shape: tuple[int, ...] = ()
    categories: tuple[str | int | float | bool, ...] | None = None
    unseen: Literal["accepted", "refused"] = "accepted"
    missing: Literal["accepted", "refused"] = "refused"
    missing_string: str = ""
    minimum: float | None = None
    maximum: float | None = None
    example: Any = None
    lowest: float | None = None
    highest: float | None = None


class TextAnalysis(NamedTuple):
    """How a text becomes terms, as scikit-learn's text vectorizers do it: lower case, then accents stripped
    ("ascii": all but ASCII is dropped), then terms of one to several of a ``unit``: what ``pattern``, a regular
    expression of Python's, finds, without ``stop_words``; or characters, "char_wb" within words alone. ``ngrams``
    are the fewest and the most units of a term."""

    unit: Literal["word", "char", "char_wb"]
    lowercase: bool
    strip_accents: Literal["ascii", "unicode"] | None
    pattern: str
    stop_words: tuple[str, ...]
    ngrams: tuple[int, int]


class Tensor(NamedTuple):
    """One input of the ONNX graph, [rows, len(features)] of ``dtype``; features in column order.

    A tensor of a single feature with a shape of its own is [rows, *shape]. The strings of one with an ``analysis``
    are each text's terms, joined by `TERM_SEPARATOR`; its features may be in another tensor as they are.
    """

    name: str
    dtype: Dtype
    features: tuple[str, ...]
    analysis: TextAnalysis | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, ``analysis`` only where there is one: bundles without text keep their versions."""
        data = self._asdict()
        analysis = data.pop("analysis")
        return data if analysis is None else {**data, "analysis": analysis._asdict()}


class Output(NamedTuple):
    """One output of the graph: ``role`` label [rows], probabilities [rows, classes], value [rows] or
    [rows, targets], or tensor (any shape, given as it is)."""

    name: str
    dtype: Dtype
    role: OutputRole
    shape: tuple[int | None, ...]


class Signature(NamedTuple):
    """Inputs and outputs of a model. ``classes`` are the labels in the order of the probabilities; where a row has
    several labels, ``target_classes`` are those of each, in the order of its own probabilities."""

    task: Task
    features: tuple[Feature, ...]
    tensors: tuple[Tensor, ...]
    outputs: tuple[Output, ...]
    classes: tuple[str | int | float | bool, ...] | None = None
    target_classes: tuple[tuple[str | int | float | bool, ...], ...] | None = None

    def feature_names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    def to_json(self) -> dict[str, Any]:
        """Plain data, as ``signature`` in model.json holds it."""
        parts = {name: [part._asdict() for part in getattr(self, name)] for name in ("features", "outputs")}
        data = {**self._asdict(), **parts, "tensors": [tensor.to_json() for tensor in self.tensors]}
        if self.target_classes is None:
            del data["target_classes"]
        return data

    def addressed_tensors(self) -> tuple[Tensor, ...]:
        """The tensors that a request may fill: all but those whose features an earlier one holds."""
        held: set[str] = set()
        kept = []
        for tensor in self.tensors:
            if not held.issuperset(tensor.features):
                kept.append(tensor)
            held.update(tensor.features)
        return tuple(kept)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Signature":
        """Read `to_json`'s data; raises `ContractError` for keys that this release does not know."""
        try:
            return cls(
                task=data["task"],
                features=tuple(_build(Feature, item) for item in data["features"]),
                tensors=tuple(_build_tensor(item) for item in data["tensors"]),
                outputs=tuple(_build(Output, item) for item in data["outputs"]),
                classes=tuple(data["classes"]) if data.get("classes") is not None else None,
                target_classes=tuple(map(tuple, data["target_classes"])) if data.get("target_classes") else None,
            )
        except (KeyError, TypeError) as error:
            raise ContractError(f"signature is damaged: {error}. Package the model again.") from error


def read_analysis(data: dict[str, Any]) -> TextAnalysis:
    """A text's analysis from plain data; raises `ContractError` for keys that this release does not know."""
    return TextAnalysis(*_build(TextAnalysis, data))


def _build_tensor(item: dict[str, Any]) -> Tensor:
    if (analysis := item.get("analysis")) is not None:
        item = {**item, "analysis": read_analysis(analysis)}
    return Tensor(*_build(Tensor, item))


def _build(kind: Any, item: dict[str, Any]) -> Any:
    if unknown := sorted(set(item) - set(kind._fields)):
        raise ContractError(
            f"signature holds {kind.__name__.lower()} key {unknown[0]!r}, which this version does not know; "
            "it was written by a newer release: update this one."
        )
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in item.items()})
