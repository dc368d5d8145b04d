"""PyTorch: exported programs (.pt2), TorchScript, and weights with a function that returns their module.

A bare module has no input shapes: its input is the sample's columns as one float tensor [rows, features]. Exported
programs have shapes, and so has a function that returns example tensors beside the module.
"""

import importlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Dtype, Task
from serinus.modelpack.convert.torch import ModuleKind, export
from serinus.modelpack.errors import ConversionError, ModelpackError, SampleError, SourceError, first_line
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.extras import require
from serinus.modelpack.sources.onnx import OnnxSource
from serinus.modelpack.sources.source import Category, Graph, Label
from serinus.modelpack.sources.torch_files import torch_format
from serinus.modelpack.tables import Texts

_NOT_EXPORTED = "Export the module with torch.export.save (.pt2), or save its state_dict and name --factory."


def open_file(path: Path, factory: str | None = None) -> "TorchSource":
    """The model in ``path``; ``factory`` (`module:function`) returns the module for weights."""
    torch = require("torch", "torch")
    require("onnxscript", "torch")
    kind = torch_format(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "exported":
                return _from_program(path, torch.export.load(str(path)))
            if kind == "script":
                return _from_script(path, torch.jit.load(str(path), map_location="cpu").eval())
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except ModelpackError:
        raise
    except Exception as error:
        raise SourceError(f"{path} cannot be loaded by PyTorch ({first_line(error)}). {_NOT_EXPORTED}") from error
    return _from_weights(path, weights, factory)


def _from_script(path: Path, module: Any) -> "TorchSource":
    taken = [argument.name for argument in module.forward.schema.arguments[1:]]
    if len(taken) != 1:
        raise SourceError(
            f"{path} is TorchScript whose forward takes {', '.join(taken) or 'nothing'}: it has no input shapes, "
            f"so it can only get one tensor of features. {_NOT_EXPORTED}"
        )
    return TorchSource(module, "script", "TorchScript")


def _from_program(path: Path, program: Any) -> "TorchSource":
    fixed = [
        list(value.shape)
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs
        for value in [node.meta["val"]]
        if isinstance(value.shape[0], int) and value.shape[0] != 1
    ]
    if fixed:
        raise SourceError(
            f"{path} was exported for exactly {fixed[0][0]} rows (input of shape {fixed[0]}). Export it again "
            'with dynamic_shapes=({0: torch.export.Dim("rows")},).'
        )
    source = TorchSource(program.module(), "exported", "ExportedProgram")
    source.set_graph(export(program, (), "exported"))
    return source


def _from_weights(path: Path, weights: Any, factory: str | None) -> "TorchSource":
    if factory is None:
        raise SourceError(
            f"{path} holds weights without a module. Name the function that returns it: --factory my_model:make"
        )
    returned = _call(factory, path)
    module, examples = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, None)
    if not hasattr(module, "load_state_dict"):
        raise SourceError(
            f"--factory {factory} returned a {type(module).__name__}, not a torch.nn.Module. Return the module."
        )
    try:
        module.load_state_dict(weights)
    except Exception as error:
        raise SourceError(
            f"the weights in {path} do not fit the module that {factory} returns ({first_line(error)}). Return it "
            "as it was when they were saved."
        ) from error
    source = TorchSource(module.eval(), "module", type(module).__name__)
    if examples is not None:
        tensors = examples if isinstance(examples, (tuple, list)) else (examples,)
        source.set_graph(export(module, tuple(tensors), "module"))
    return source


def _call(factory: str, path: Path) -> Any:
    """The return value of ``factory``, whose module is imported from here or from beside the weights: from there
    last, so that files that came with them shadow no installed library."""
    name, _, function = factory.partition(":")
    here, beside = str(Path.cwd()), str(path.resolve().parent)
    sys.path.insert(0, here)
    sys.path.append(beside)
    try:
        return getattr(importlib.import_module(name), function)()
    except Exception as error:
        raise SourceError(
            f"--factory {factory} failed ({type(error).__name__}: {first_line(error)}). Name a function without "
            "parameters as module:function; the module must be here or beside the weights."
        ) from error
    finally:
        for folder in (here, beside):
            sys.path.remove(folder)


class TorchSource:
    """A module, and its graph as soon as the shapes of its inputs are known. Roles of outputs are those of an ONNX
    file: a single number a row is a `value`, other outputs keep their names."""

    def __init__(self, module: Any, kind: ModuleKind, estimator: str) -> None:
        import torch

        self._module = module
        self._kind = kind
        self._graph: OnnxSource | None = None
        self.estimator = estimator
        self.known_words: tuple[str, ...] = ()
        self.framework = f"PyTorch {torch.__version__}"

    def set_graph(self, model: Any) -> None:
        """Set ``model`` as the ONNX form of the module."""
        for index, value in enumerate(model.graph.output):
            _rename(model.graph, value, "output" if len(model.graph.output) == 1 else f"output_{index}")
        self._graph = OnnxSource(model)

    def _exported(self, width: int) -> OnnxSource:
        if self._graph is None:
            import torch

            self.set_graph(export(self._module, (torch.zeros(2, width),), self._kind))
        if self._graph is None:
            raise ConversionError(f"{self.estimator} has no graph.", self.estimator)
        return self._graph

    @property
    def task(self) -> Task:
        return self._graph.task if self._graph is not None else "transform"

    @property
    def classes(self) -> tuple[Label, ...] | None:
        return None

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        return self._graph.feature_names if self._graph is not None else None

    @property
    def feature_count(self) -> int | None:
        return self._graph.feature_count if self._graph is not None else None

    @property
    def nested(self) -> dict[str, Dtype]:
        return self._graph.nested if self._graph is not None else {}

    @property
    def lookup_sizes(self) -> tuple[int, ...]:
        """As of the exported graph."""
        return self._graph.lookup_sizes if self._graph is not None else ()

    def predict(self, frame: pd.DataFrame) -> Outputs:
        """The outputs of the module itself."""
        import torch

        if self._graph is None and any(dtype.kind == "O" for dtype in frame.dtypes):
            raise SampleError(
                "the module requires one tensor of numbers; the sample has columns of other types. Pass numbers "
                "alone."
            )
        if self._graph is None:
            self._try(torch, frame)
        graph = self._exported(len(frame.columns))
        tensors = [torch.from_numpy(np.ascontiguousarray(values)) for values in graph.feeds(frame).values()]
        with torch.inference_mode():
            outputs = self._module(*tensors)
        return graph.named([tensor.numpy() for tensor in _leaves(outputs)], len(frame))

    def _try(self, torch: Any, frame: pd.DataFrame) -> None:
        """A module that rejects such rows raises a clearer error than its exporter."""
        with torch.inference_mode():
            self._module(torch.zeros(2, len(frame.columns)))

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        del names
        return {}

    def texts(self, names: tuple[str, ...]) -> Texts:
        del names
        return {}

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        return self._exported(len(sample.names)).graphs(sample)


def _leaves(output: Any) -> list[Any]:
    """Tensors in the order of the exporter's outputs."""
    if isinstance(output, dict):
        return [leaf for value in output.values() for leaf in _leaves(value)]
    if isinstance(output, (tuple, list)):
        return [leaf for value in output for leaf in _leaves(value)]
    return [output.detach()]


def _rename(graph: Any, value: Any, name: str) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [name if known == value.name else known for known in names]
    value.name = name
