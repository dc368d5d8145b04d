"""Functions of one number that are lines between stored points, and the normal distribution's quantiles."""

from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.steps.columns import Columns, Matrix
from serinus.modelpack.convert.steps.translation import Translation

Floats = npt.NDArray[np.float64]


def interpolate(translation: Translation, value: str, xs: Floats, ys: Floats) -> str:
    """`numpy.interp` of [rows, 1]: lines between the points, and the first and last outside them."""
    nodes = translation.nodes
    if len(xs) == 1:
        constant = nodes.add("Mul", [value, translation.row([0.0])])
        return nodes.add("Add", [constant, translation.row(ys)])
    clipped = nodes.add("Min", [nodes.add("Max", [value, translation.row([xs[0]])]), translation.row([xs[-1]])])
    passed = nodes.cast(nodes.add("LessOrEqual", [translation.row(xs[1:-1]), clipped]), np.int64)
    axis = nodes.constant(np.array([1], dtype=np.int64))
    if len(xs) > 2:
        below = nodes.add("ReduceSum", [passed, axis], keepdims=0)
    else:
        reached = nodes.add("Greater", [clipped, translation.row([np.inf])])
        below = nodes.cast(translation.flat(reached), np.int64)
    widths = np.diff(xs)
    slopes = np.divide(np.diff(ys), widths, out=np.zeros(len(widths)), where=widths > 0)

    def at(values: Floats) -> str:
        stored = nodes.constant(np.ascontiguousarray(values))
        return translation.column(nodes.add("Gather", [stored, below], axis=0))

    offset = nodes.add("Sub", [clipped, at(xs[:-1])])
    inside = nodes.add("Add", [nodes.add("Mul", [at(slopes), offset]), at(ys[:-1])])
    is_end = nodes.add("Equal", [clipped, translation.row([xs[-1]])])
    return nodes.add("Where", [is_end, translation.row([ys[-1]]), inside])


def isotonic(translation: Translation, regression: Any, value: str) -> str:
    """IsotonicRegression of [rows, 1]; outside its thresholds as at the ends, or NaN (``out_of_bounds``)."""
    nodes = translation.nodes
    if regression.out_of_bounds == "raise":
        raise translation.error(
            regression, "out_of_bounds='raise' refuses rows, which no graph can do; train with 'clip'"
        )
    xs = np.asarray(regression.X_thresholds_, dtype=np.float64)
    result = interpolate(translation, value, xs, np.asarray(regression.y_thresholds_, dtype=np.float64))
    if regression.out_of_bounds == "clip":
        return result
    below = nodes.add("Less", [value, translation.row([xs[0]])])
    above = nodes.add("Greater", [value, translation.row([xs[-1]])])
    return nodes.add("Where", [nodes.add("Or", [below, above]), translation.row([np.nan]), result])


#: scikit-learn's distance to the ends of a normal output.
_BOUNDS = 1e-7


def quantiles(translation: Translation, transformer: Any, columns: Columns) -> Matrix:
    """QuantileTransformer: the mean of the curve read from both ends, as a share or a normal quantile."""
    from scipy.stats import norm

    nodes = translation.nodes
    values = translation.numbers(columns)
    references = np.asarray(transformer.references_, dtype=np.float64)
    is_normal = transformer.output_distribution == "normal"
    parts = []
    for number in range(len(columns)):
        stored = np.asarray(transformer.quantiles_[:, number], dtype=np.float64)
        value = nodes.take(values, [number])
        up = interpolate(translation, value, stored, references)
        down = interpolate(translation, nodes.add("Neg", [value]), -stored[::-1], -references[::-1])
        share = nodes.add("Mul", [nodes.add("Sub", [up, down]), translation.row([0.5])])
        margin = _BOUNDS if is_normal else 0.0
        # A constant column is at both ends; scikit-learn sets the lower one last.
        for stored_end, end, comparison in (
            (stored[-1] - margin, 1.0, "Greater"),
            (stored[0] + margin, 0.0, "Less"),
        ):
            operator = comparison if is_normal else "Equal"
            at_end = nodes.add(operator, [value, translation.row([stored_end])])
            share = nodes.add("Where", [at_end, translation.row([end]), share])
        if is_normal:
            low, high = norm.ppf(_BOUNDS - np.spacing(1)), norm.ppf(1 - (_BOUNDS - np.spacing(1)))
            bounded = nodes.add("Max", [normal_quantile(translation, share), translation.row([low])])
            share = nodes.add("Min", [bounded, translation.row([high])])
        parts.append(share)
    return Matrix(translation.beside(parts), len(parts))


#: Wichura's algorithm AS 241, PPND16: numerators and denominators, ascending, near the middle, in the tails, and
#: far in them. https://doi.org/10.2307/2347330
_MIDDLE = (
    (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867,
     39307.895800092710610, 28729.085735721942674, 5226.4952788528545610),
)  # fmt: skip
_TAIL = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
     0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
     0.0265321895265761230930, 0.00124266094738807843860, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525, 7.86869131145613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def normal_quantile(translation: Translation, share: str) -> str:
    """The standard normal distribution's quantile of [rows, 1]; infinite at 0 and 1."""
    nodes = translation.nodes
    half = nodes.add("Sub", [share, translation.row([0.5])])
    square = nodes.add("Sub", [translation.row([0.180625]), nodes.add("Mul", [half, half])])
    middle = nodes.add("Mul", [half, _ratio(translation, square, _MIDDLE)])
    other = nodes.add("Sub", [translation.row([1.0]), share])
    depth = nodes.add("Sqrt", [nodes.add("Neg", [nodes.add("Log", [nodes.add("Min", [share, other])])])])
    tail = _ratio(translation, nodes.add("Sub", [depth, translation.row([1.6])]), _TAIL)
    far = _ratio(translation, nodes.add("Sub", [depth, translation.row([5.0])]), _FAR)
    outer = nodes.add("Where", [nodes.add("LessOrEqual", [depth, translation.row([5.0])]), tail, far])
    signed = nodes.add("Mul", [outer, nodes.add("Sign", [half])])
    is_middle = nodes.add("LessOrEqual", [nodes.add("Abs", [half]), translation.row([0.425])])
    result = nodes.add("Where", [is_middle, middle, signed])
    at_zero = nodes.add("Equal", [share, translation.row([0.0])])
    at_one = nodes.add("Equal", [share, translation.row([1.0])])
    result = nodes.add("Where", [at_zero, translation.row([-np.inf]), result])
    return nodes.add("Where", [at_one, translation.row([np.inf]), result])


def _ratio(translation: Translation, value: str, polynomials: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    nodes = translation.nodes
    results = []
    for coefficients in polynomials:
        result = translation.row([coefficients[-1]])
        for coefficient in reversed(coefficients[:-1]):
            result = nodes.add("Add", [nodes.add("Mul", [result, value]), translation.row([coefficient])])
        results.append(result)
    return nodes.add("Div", results)
