"""Shapley's weights, which both halves of an explanation need: tables at packaging, patterns in the function."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def shapley_weights(most: int) -> tuple[Floats, Floats]:
    """Two arrays [most + 1, most + 1] by the number of features that must come from the row (a) and from the
    background (b) for a leaf to be reached: the weight of each of the former, (a - 1)! b! / (a + b)!, and of each
    of the latter, a! (b - 1)! / (a + b)!. Source: arXiv 2511.09376."""
    from_row, from_background = np.zeros((2, most + 1, most + 1))
    for a in range(most + 1):
        for b in range(most + 1):
            orders = math.factorial(a + b)
            if a:
                from_row[a, b] = math.factorial(a - 1) * math.factorial(b) / orders
            if b:
                from_background[a, b] = math.factorial(a) * math.factorial(b - 1) / orders
    return from_row, from_background
