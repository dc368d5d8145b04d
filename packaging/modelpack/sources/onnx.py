"""ONNX files: the graph stays as it is, behind our inputs, and its outputs get roles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Dtype, Task
from serinus.modelpack.convert import graph_io
from serinus.modelpack.errors import ConversionError, SourceError, first_line
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import onnx_files
from serinus.modelpack.sources.onnx_axes import check_axes
from serinus.modelpack.sources.source import MISSING_STRING, Category, Graph, Label
from serinus.modelpack.tables import Texts

#: The dtype that a request's values are checked against, by an input's element type.
_DTYPES: dict[str, Dtype] = {
    "float": "float32",
    "float16": "float32",
    "bfloat16": "float32",
    "double": "float64",
    "int32": "int32",
    "int64": "int64",
    "int16": "int32",
    "int8": "int32",
    "uint8": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "bool": "bool",
    "string": "string",
}

_NUMPY = {"float": "float32", "double": "float64", "bfloat16": "float32"}


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the file: flat where each of its ``width`` columns is a feature (None: as many as the sample
    has), nested where its rows are tensors."""

    name: str
    kind: str
    rank: int
    width: int | None
    nested: bool


def open_file(path: Path) -> "OnnxSource":
    """The model in ONNX file ``path``; raises `SourceError` and `ConversionError` where it cannot be served."""
    return OnnxSource(onnx_files.read(path))


class OnnxSource:
    """An ONNX model with its own names. A single float output is a `value`; labels beside probabilities of known
    classes make a classifier; other outputs keep their names."""

    estimator = "ONNX graph"

    def __init__(self, model: Any) -> None:
        graph_io.free_rows(model)
        self._classes = graph_io.drop_zipmap(model)
        self._model = model
        self._session = _session(model)
        tensors = [item for item in self._session.get_inputs() if len(item.shape)]
        check_axes(tensors)
        self._inputs = [_input(item, self._session) for item in tensors]
        #: Scalars, which all rows share, by name: their types, and the values that a sample gave them.
        self.scalars = {item.name: _kind(item) for item in self._session.get_inputs() if not len(item.shape)}
        self._constants: dict[str, npt.NDArray[Any]] = {}
        self._outputs = [item.name for item in self._session.get_outputs()]
        self._roles, self.classes = self._read_roles()
        self.framework = f"ONNX {model.producer_name or 'of unknown making'} {model.producer_version}".strip()
        self.task: Task = (
            "classification" if self.classes else "regression" if "value" in self._roles.values() else "transform"
        )
        self.known_words: tuple[str, ...] = ()
        self.nested: dict[str, Dtype] = {item.name: _DTYPES[item.kind] for item in self._inputs if item.nested}

    def _read_roles(self) -> tuple[dict[str, str], tuple[Label, ...] | None]:
        """The role of each output of the file, and the classes."""
        kinds = {
            item.name: (item.type.removeprefix("tensor(").rstrip(")"), item.shape)
            for item in self._session.get_outputs()
        }
        floats = [name for name, (kind, _) in kinds.items() if kind in ("float", "double", "float16")]
        labels = [name for name, (kind, shape) in kinds.items() if kind in ("int64", "string") and len(shape) == 1]
        if len(kinds) == 2 and len(labels) == len(floats) == 1 and self._classes:
            return {labels[0]: "label", floats[0]: "probabilities"}, self._classes
        if len(kinds) == 1 and floats and (len(kinds[floats[0]][1]) == 1 or kinds[floats[0]][1][1:] == [1]):
            return {floats[0]: "value"}, None
        return {name: name for name in kinds}, None

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        if len(self._inputs) == 1 and not self._inputs[0].nested and self._inputs[0].rank > 1:
            return None
        names: list[str] = []
        for item in self._inputs:
            names += _names(item)
        return tuple(names)

    @property
    def feature_count(self) -> int | None:
        return self._inputs[0].width if self.feature_names is None else None

    def predict(self, frame: pd.DataFrame) -> Outputs:
        """The outputs of the unchanged file."""
        return self.named(self._session.run(self._outputs, self.feeds(frame)), len(frame))

    def feeds(self, frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
        """The file's own inputs, by name in order, for the rows of ``frame``."""
        names = list(frame.columns)
        columns = {item.name: names if self.feature_names is None else _names(item) for item in self._inputs}
        return {item.name: _feed(item, frame[columns[item.name]]) for item in self._inputs} | self._constants

    def set_scalars(self, values: dict[str, float]) -> None:
        """Serve every request with these values of the model's scalars, which then are constants of the graph."""
        self._constants = {
            name: np.array(values[name], dtype=_NUMPY.get(kind, kind)) for name, kind in self.scalars.items()
        }

    def take_rows_nested(self) -> bool:
        """Let a request hold the row of the only input, [rows, n] numbers, as one nested list; returns whether it
        has one such input."""
        only = self._inputs[0]
        if len(self._inputs) > 1 or only.rank != 2 or only.width == 1 or only.kind == "string":
            return False
        self._inputs = [replace(only, nested=True)]
        self.nested = {only.name: _DTYPES[only.kind]}
        return True

    @property
    def lookup_sizes(self) -> tuple[int, ...]:
        """The lengths of the tables in the graph that ids may be looked up in."""
        return graph_io.lookup_sizes(self._model)

    @property
    def limits(self) -> dict[str, tuple[int, int]]:
        """The range of features whose type in the file is narrower than in a request."""
        narrow = {
            item: np.iinfo(item.kind)
            for item in self._inputs
            if item.kind in ("int8", "uint8", "int16", "uint16", "uint32")
        }
        return {name: (int(kind.min), int(kind.max)) for item, kind in narrow.items() for name in _names(item)}

    def named(self, values_in_order: Sequence[Any], rows: int) -> Outputs:
        """The file's outputs, in order, by their role."""
        outputs = {}
        for name, values in zip(self._outputs, values_in_order, strict=True):
            if len(values) != rows:
                raise SourceError(
                    f"output {name!r} has {len(values)} entries for {rows} rows. Export the model with a dynamic "
                    "first axis in every output, so that rows do not depend on each other."
                )
            role = self._roles[name]
            flat = role in ("label", "value") and values.ndim == 2 and values.shape[1] == 1
            values = values.ravel() if flat else values
            outputs[role] = values.astype(np.float32) if values.dtype == np.float16 else values
        return outputs

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        del names
        return {}

    def texts(self, names: tuple[str, ...]) -> Texts:
        strings = [item for item in self._inputs if item.kind == "string"]
        return dict.fromkeys(name for item in strings for name in self._names(item, names))

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        try:
            inputs = [
                (item.name, item.kind, item.rank, item.nested, self._names(item, sample.names))
                for item in self._inputs
            ]
            model = graph_io.wrap(self._model, sample, inputs, self._roles, self._constants)
        except ValueError as error:
            raise ConversionError(f"the ONNX graph cannot be wrapped: {first_line(error)}.") from error
        kinds = {item.kind for item in self._inputs}
        yield Graph(model, "float64" if kinds == {"double"} else "float32")

    def _names(self, item: Input, names: tuple[str, ...]) -> list[str]:
        return list(names) if self.feature_names is None else _names(item)


def _session(model: Any) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise SourceError(
            f"ONNX Runtime cannot load the model: {first_line(error)}. Export it again, with an opset of 21 or "
            "less and rows as a dynamic first axis."
        ) from error


def _kind(item: Any) -> str:
    return str(item.type).removeprefix("tensor(").rstrip(")")


def _input(item: Any, session: Any) -> Input:
    kind = _kind(item)
    rank = len(item.shape)
    if kind not in _DTYPES:
        raise SourceError(
            f"input {item.name!r} is a {item.type} of shape {item.shape}; tensors of numbers, booleans and "
            "strings with rows as their first axis are supported. Export the model with such inputs."
        )
    width = item.shape[1] if rank == 2 and isinstance(item.shape[1], int) else None
    several = len(session.get_inputs()) > 1
    nested = rank > 2 or (rank == 2 and width is None and several)
    if nested and kind == "string":
        raise SourceError(
            f"input {item.name!r} is a tensor of strings of rank {rank}; [rows, n] is supported. Export the model "
            "with such an input."
        )
    return Input(item.name, kind, rank, 1 if rank == 1 else width, nested)


def _names(item: Input) -> list[str]:
    if item.nested or item.width == 1:
        return [item.name]
    return [f"{item.name}_{index}" for index in range(item.width or 0)]


def _feed(item: Input, columns: pd.DataFrame) -> npt.NDArray[Any]:
    if item.kind == "string":
        values = columns.where(columns.notna(), MISSING_STRING).to_numpy(dtype=object)
    else:
        dtype = _NUMPY.get(item.kind, item.kind)
        cells = columns.iloc[:, 0].tolist() if item.nested else columns.to_numpy(dtype=np.float64)
        values = np.asarray(cells)
        # ONNX Runtime rounds a double to single precision before it rounds it to half.
        values = (values.astype(np.float32) if item.kind == "float16" else values).astype(dtype)
    return values.reshape(-1) if item.rank == 1 else values
