"""The columns that predictions become beside the rows they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serinus.cli.errors import CliError
from serinus.lambda_handlers.contract.columns import OTHERS, field_of
from serinus.lambda_handlers.contract.signature import Dtype, Output, Signature


@dataclass(frozen=True, slots=True)
class PredictionColumn:
    """A column ``name`` of ``dtype``: ``field`` of a response, in ``outputs`` if ``is_nested``; of each row's list
    the entry ``index``, or all of it where that is None. ``is_list``: its cells are lists."""

    name: str
    dtype: Dtype
    field: str
    is_nested: bool = False
    index: int | None = None
    is_list: bool = False

    def values(self, response: Mapping[str, Any]) -> list[Any]:
        """One cell a row."""
        whole: list[Any] = (response[OTHERS] if self.is_nested else response)[self.field]
        return whole if self.index is None else [row[self.index] for row in whole]


def prediction_columns(signature: Signature) -> list[PredictionColumn]:
    """`predicted_label`, `probability_CLASS`, `predicted_value`, and `predicted_OUTPUT` for all other outputs."""
    return [column for output in signature.outputs for column in _columns_of(output, signature)]


def require_free_names(columns: Sequence[PredictionColumn], taken: Sequence[str]) -> None:
    """`CliError` if the rows have a column of a prediction's name: neither would be safe."""
    if both := [column.name for column in columns if column.name in taken]:
        raise CliError(
            f"the rows have a column {both[0]!r}, and so would the predictions. Rename it, or remove it."
        )


def _columns_of(output: Output, signature: Signature) -> list[PredictionColumn]:
    field = field_of(output, signature.outputs)
    if field == "probabilities" and signature.classes is not None:
        return [
            PredictionColumn(f"probability_{label}", "float64", field, index=index)
            for index, label in enumerate(signature.classes)
        ]
    width = output.shape[1] if len(output.shape) == 2 else 1
    is_list = len(output.shape) > 1 and width != 1
    if field == "values" and is_list and width is not None:
        return [
            PredictionColumn(f"predicted_value_{index}", output.dtype, field, index=index)
            for index in range(width)
        ]
    names = {"labels": "predicted_label", "values": "predicted_value"}
    if field in names:
        return [PredictionColumn(names[field], output.dtype, field, is_list=is_list)]
    is_nested = field is None
    # Outputs by name keep their shape: [rows, 1] is a list of lists.
    is_list = len(output.shape) > 1
    return [
        PredictionColumn(
            f"predicted_{output.name}", output.dtype, field or output.name, is_nested, is_list=is_list
        )
    ]
