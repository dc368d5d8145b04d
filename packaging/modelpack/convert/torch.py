"""PyTorch modules as ONNX graphs of any number of rows: by torch's exporter, TorchScript by its older one.

The exporter's notes on nodes and tensors (stack traces with paths) are removed, so that equal modules are equal
bytes.
https://docs.pytorch.org/docs/stable/onnx_export.html
"""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from serinus.modelpack.errors import ConversionError, first_line

ModuleKind = Literal["exported", "script", "module"]

#: Newest that both exporters write.
_OPSET = 20
_OPERATOR = re.compile(r"torch\.ops\.([\w.]+)|aten::(\w+)")


def export(module: Any, examples: tuple[Any, ...], kind: ModuleKind) -> Any:
    """The ONNX model of ``module``: an `exported` program, a `script` or a `module`, run on ``examples``, tensors
    of two rows. Raises `ConversionError`, which names the operator that prevents it, where there is one."""
    import onnx

    with _quietly():
        try:
            written = _script(module, examples) if kind == "script" else _program(module, examples, kind)
        except Exception as error:
            raise _conversion_error(error) from error
    model = onnx.load_from_string(written)
    _forget_origin(model)
    return model


def _program(module: Any, examples: tuple[Any, ...], kind: ModuleKind) -> bytes:
    import torch

    settings: dict[str, Any] = {"dynamo": True, "verbose": False, "opset_version": _OPSET}
    if kind == "exported":
        program = torch.onnx.export(module, (), **settings)
    else:
        rows = torch.export.Dim("rows")
        axes = tuple({0: rows} for _ in examples)
        program = torch.onnx.export(module, examples, dynamic_shapes=axes, **settings)
    return bytes(program.model_proto.SerializeToString())


def _script(module: Any, examples: tuple[Any, ...]) -> bytes:
    import torch

    names = [argument.name for argument in module.forward.schema.arguments[1:]]
    target = io.BytesIO()
    torch.onnx.export(
        module,
        examples,
        target,
        dynamo=False,
        opset_version=_OPSET,
        input_names=names,
        dynamic_axes={name: {0: "rows"} for name in names},
    )
    return target.getvalue()


def _forget_origin(model: Any) -> None:
    graph = model.graph
    for part in [model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer]:
        del part.metadata_props[:]
        part.doc_string = ""
    for node in graph.node:
        node.name = node.name or node.output[0]


def _conversion_error(error: Exception) -> ConversionError:
    """The exporter's first message is generic; the deepest cause names the operator."""
    deepest: BaseException = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    messages = [str(part) for part in (deepest, error.__cause__, error) if part is not None]
    match = next(filter(None, map(_OPERATOR.search, messages)), None)
    if match is not None:
        operator = (match[1] or f"aten.{match[2]}").removesuffix(".default")
        return ConversionError(
            f"PyTorch operator {operator} has no ONNX form. Write the module with other operators, or run that "
            "step before calling the endpoint.",
            operator,
        )
    why = first_line(Exception(re.sub(r"\x1b\[\d+m", "", messages[0])))
    return ConversionError(
        f"PyTorch cannot export the module to ONNX ({why}). Its forward must work for any number of rows: check "
        'it with torch.export.export(module, (example,), dynamic_shapes=({0: torch.export.Dim("rows")},)).'
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """The exporters warn of deprecations and of packages that no model here needs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
