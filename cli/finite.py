"""Refuses NaN and infinity as values of options: comparisons with NaN are always false, so no limit holds."""

import math

import typer


def finite(value: float | None) -> float | None:
    """``value``; raises `typer.BadParameter`, which names the option, if it is NaN or infinite."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value:g} is not a finite number.")
    return value
