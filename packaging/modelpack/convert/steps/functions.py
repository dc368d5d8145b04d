"""FunctionTransformer over NumPy's functions, and targets that were transformed before training."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps import powers
from serinus.modelpack.convert.steps.columns import Columns, Matrix, columns_of
from serinus.modelpack.convert.steps.curves import interpolate
from serinus.modelpack.convert.steps.translation import Translation

#: NumPy's functions of one number that ONNX has as one operator.
_OPERATORS = {
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "absolute": "Abs",
    "abs": "Abs",
    "fabs": "Abs",
    "negative": "Neg",
    "sign": "Sign",
    "floor": "Floor",
    "ceil": "Ceil",
    "rint": "Round",
    "reciprocal": "Reciprocal",
    "sin": "Sin",
    "cos": "Cos",
    "tanh": "Tanh",
}


def transform(translation: Translation, transformer: Any, columns: Columns) -> Any:
    """A FunctionTransformer without a function passes columns on."""
    if transformer.func is None:
        return Columns(columns.places, translation.run_source(transformer, "transform", columns.rows))
    settings = dict(transformer.kw_args or {})
    name = _write(translation, transformer, transformer.func, settings, translation.numbers(columns))
    return Matrix(name, len(columns))


def _write(translation: Translation, owner: Any, function: Any, settings: dict[str, Any], value: str) -> str:
    """``function`` of each value; raises `ConversionError` for any other than NumPy's named ones."""
    nodes = translation.nodes
    name = getattr(function, "__name__", type(function).__name__)
    is_numpy = getattr(np, name, None) is function
    if is_numpy and not settings:
        if name in _OPERATORS:
            return nodes.add(_OPERATORS[name], [value])
        if name == "log1p":
            return nodes.add("Log", [nodes.add("Add", [value, translation.row([1.0])])])
        if name == "expm1":
            return nodes.add("Sub", [nodes.add("Exp", [value]), translation.row([1.0])])
        if name in ("log2", "log10"):
            base = np.log(2.0 if name == "log2" else 10.0)
            return nodes.add("Div", [nodes.add("Log", [value]), translation.row([base])])
        if name == "square":
            return nodes.add("Mul", [value, value])
        if name == "cbrt":
            power = nodes.add("Pow", [nodes.add("Abs", [value]), translation.row([1 / 3])])
            return nodes.add("Mul", [nodes.add("Sign", [value]), power])
        if name == "exp2":
            return nodes.add("Pow", [translation.row([2.0]), value])
        if name in ("sinh", "cosh"):
            up, down = nodes.add("Exp", [value]), nodes.add("Exp", [nodes.add("Neg", [value])])
            both = nodes.add("Sub" if name == "sinh" else "Add", [up, down])
            return nodes.add("Mul", [both, translation.row([0.5])])
    if is_numpy and name == "clip" and set(settings) <= {"a_min", "a_max"}:
        for operator, key in (("Max", "a_min"), ("Min", "a_max")):
            if settings.get(key) is not None:
                value = nodes.add(operator, [value, translation.row([float(settings[key])])])
        return value
    module = getattr(function, "__module__", "")
    called = f"numpy.{name}" if is_numpy else f"{module}.{name}" if module else name
    raise translation.error(
        owner,
        f"its function is {called}{' with arguments' if settings else ''}; NumPy's functions of one value are "
        "supported (log1p, sqrt, square, clip and others)",
    )


def predict(translation: Translation, model: Any, columns: Columns) -> str:
    """TransformedTargetRegressor: its regressor's values, transformed back."""
    with translation.at("regressor"):
        inner = translation.predict(model.regressor_, columns)
        predicted = translation.run_source(model.regressor_, "predict", columns.rows)
    is_flat = np.ndim(predicted) == 1
    rows = np.asarray(predicted, dtype=np.float64).reshape(len(predicted), -1)
    value = translation.column(inner) if is_flat else inner
    with translation.at("transformer"):
        return _inverse(translation, model.transformer_, columns_of(Matrix(value, rows.shape[1]), rows))


def _inverse(translation: Translation, transformer: Any, columns: Columns) -> str:
    """`inverse_transform`, [rows, targets]."""
    nodes = translation.nodes
    kind = type(transformer).__name__
    value = translation.numbers(columns)
    if kind == "FunctionTransformer":
        settings = dict(transformer.inv_kw_args or {})
        if transformer.inverse_func is None:
            return value
        return _write(translation, transformer, transformer.inverse_func, settings, value)
    if kind in ("StandardScaler", "RobustScaler"):
        scale = getattr(transformer, "scale_", None)
        center = getattr(transformer, "mean_" if kind == "StandardScaler" else "center_", None)
        is_centred = transformer.with_mean if kind == "StandardScaler" else transformer.with_centering
        if scale is not None:
            value = nodes.add("Mul", [value, translation.row(scale)])
        return nodes.add("Add", [value, translation.row(center)]) if center is not None and is_centred else value
    if kind == "MinMaxScaler":
        moved = nodes.add("Sub", [value, translation.row(transformer.min_)])
        return nodes.add("Div", [moved, translation.row(transformer.scale_)])
    if kind == "MaxAbsScaler":
        return nodes.add("Mul", [value, translation.row(transformer.scale_)])
    if kind == "PowerTransformer":
        return powers.undo(translation, transformer, value)
    if kind == "QuantileTransformer":
        return _quantile_inverse(translation, transformer, value)
    if kind == "Pipeline":
        for _, step in reversed(transformer.steps):
            if step is None or step == "passthrough":
                continue
            rows = translation.run_source(step, "inverse_transform", columns.rows)
            written = _inverse(translation, step, columns)
            columns = columns_of(Matrix(written, np.asarray(rows).shape[1]), np.asarray(rows))
        return translation.numbers(columns)
    raise translation.error(transformer, "its inverse_transform is not supported")


def _quantile_inverse(translation: Translation, transformer: Any, value: str) -> str:
    if transformer.output_distribution != "uniform":
        raise translation.error(
            transformer, "a normal output_distribution cannot be undone: ONNX has no normal cdf"
        )
    parts = [
        interpolate(
            translation,
            translation.nodes.take(value, [number]),
            np.asarray(transformer.references_, dtype=np.float64),
            np.asarray(transformer.quantiles_[:, number], dtype=np.float64),
        )
        for number in range(transformer.quantiles_.shape[1])
    ]
    return translation.beside(parts)
