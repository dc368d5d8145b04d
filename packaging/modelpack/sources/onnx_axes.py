"""Checks that the rows of an ONNX model are the first axis of every input, and may be any number."""

from typing import Any

from serinus.modelpack.errors import SourceError


def check_axes(inputs: list[Any]) -> None:
    """Raise `SourceError` for ``inputs`` (ONNX Runtime's, without scalars) that take a fixed number of rows, or
    have the rows on another axis than the first."""
    fixed = [item for item in inputs if isinstance(item.shape[0], int)]
    free = [item for item in inputs if item not in fixed]
    rows = {item.shape[0] for item in free if isinstance(item.shape[0], str)}
    for item in fixed:
        others = [axis for axis, size in enumerate(item.shape) if axis and not isinstance(size, int)]
        named = [axis for axis in others if item.shape[axis] in rows]
        if others and (named or len(fixed) < len(inputs)):
            axis = (named or others)[0]
            raise SourceError(
                f"input {item.name!r} of shape {item.shape} has its rows on axis {axis}, as the state of a "
                "recurrent network; they must be the first axis of every input and output. Export the model "
                "with the state transposed."
            )
    for item in fixed:
        raise SourceError(
            f"the model was exported for exactly {item.shape[0]} rows: input {item.name!r} has shape "
            f"{item.shape}. Export it again with a dynamic first axis: torch.onnx.export with "
            f"dynamic_axes={{{item.name!r}: {{0: 'rows'}}, …}}, for every input and output."
        )
