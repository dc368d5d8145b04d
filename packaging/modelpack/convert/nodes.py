"""Adds graph nodes briefly: generates names, stores constants, keeps types."""

from typing import Any

import numpy as np
import numpy.typing as npt

#: Placeholder domain for ai.onnx.ml 5, which skl2onnx rejects; `graph_rewrite` sets the true domain.
NEWER_ML = "ai.onnx.ml.5"


class Nodes:
    """Adds nodes to skl2onnx's ``container``, or to a `DirectGraph`; every method returns the name of its output
    tensor."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def add(
        self, op_type: str, inputs: list[str], *, domain: str = "", since: int | None = None, **attributes: Any
    ) -> str:
        """A node's first output; ``since`` is the operator's version where it is not the library's choice."""
        return self._add(op_type, inputs, 1, domain=domain, since=since, **attributes)[0]

    def add_second(self, op_type: str, inputs: list[str], **attributes: Any) -> str:
        """A node's second output; the first is unused."""
        return self._add(op_type, inputs, 2, domain="", since=None, **attributes)[1]

    def add_both(self, op_type: str, inputs: list[str], *, since: int, **attributes: Any) -> tuple[str, str]:
        """A node's first two outputs."""
        first, second = self._add(op_type, inputs, 2, domain="", since=since, **attributes)
        return first, second

    def _add(
        self, op_type: str, inputs: list[str], count: int, *, domain: str, since: int | None, **attributes: Any
    ) -> list[str]:
        """All ``count`` outputs of a new node."""
        outputs = [str(self._scope.get_unique_variable_name(op_type.lower())) for _ in range(count)]
        name = self._scope.get_unique_operator_name(op_type)
        self._container.add_node(
            op_type, inputs, outputs, op_domain=domain, op_version=since, name=name, **attributes
        )
        return outputs

    def constant(self, values: npt.NDArray[Any]) -> str:
        """A stored tensor, of the array's dtype (object: strings)."""
        from onnx import TensorProto

        kinds = {"float32": "FLOAT", "float64": "DOUBLE", "int64": "INT64", "bool": "BOOL", "object": "STRING"}
        name = str(self._scope.get_unique_variable_name("constant"))
        flat = values.ravel()
        stored = [str(value).encode() for value in flat] if values.dtype == object else flat
        kind = getattr(TensorProto, kinds[str(values.dtype)])
        self._container.add_initializer(name, kind, list(values.shape), stored)
        return name

    def cast(self, value: str, dtype: Any) -> str:
        """The tensor in another number type."""
        from onnx.helper import np_dtype_to_tensor_dtype

        return self.add("Cast", [value], to=int(np_dtype_to_tensor_dtype(np.dtype(dtype))))

    def take(self, value: str, columns: Any) -> str:
        """Some columns of a [rows, columns] tensor."""
        return self.add("Gather", [value, self.constant(np.asarray(columns, dtype=np.int64))], axis=1)

    def side_by_side(self, variables: Any) -> str:
        """The variables' columns in one tensor, none rounded on the way."""
        names = [variable.full_name for variable in variables]
        return str(names[0]) if len(names) == 1 else self.add("Concat", names, axis=1)

    def numpy_type(self, variable: Any) -> Any:
        """The numpy dtype of a number variable."""
        from skl2onnx.common.data_types import guess_numpy_type

        return guess_numpy_type(variable.type)

    def name(self, value: str, variable: Any) -> None:
        """Name the tensor as ``variable``, for the rest of the graph."""
        self._container.add_node(
            "Identity", [value], [variable.full_name], name=self._scope.get_unique_operator_name("Identity")
        )
