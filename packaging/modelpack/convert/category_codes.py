"""Columns with categories as one tensor of doubles, each category as its code: the input of boosted trees."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.discrete import number_index
from serinus.modelpack.convert.nodes import Nodes
from serinus.modelpack.sample import Sample

ML = "ai.onnx.ml"


def write_codes(nodes: Nodes, sample: Sample, coded: dict[int, tuple[Any, ...]]) -> tuple[str, list[int]]:
    """[rows, features] of doubles from `numbers` and `strings`, the columns of ``sample``; and the column that
    each of its columns is. Categories by column (``coded``) become their codes, values that are
    none of them NaN."""
    plain = [position for position in range(len(sample.names)) if position not in coded]
    parts = []
    if plain:
        parts.append(nodes.take("numbers", [sample.numbers.index(sample.names[position]) for position in plain]))
    for position, categories in coded.items():
        name = sample.names[position]
        tensor, peers = ("strings", sample.strings) if name in sample.strings else ("numbers", sample.numbers)
        parts.append(_code(nodes, nodes.take(tensor, [peers.index(name)]), categories))
    joined = parts[0] if len(parts) == 1 else nodes.add("Concat", parts, axis=1)
    return joined, [*plain, *coded]


def _code(nodes: Nodes, column: str, categories: tuple[Any, ...]) -> str:
    """[rows, 1]"""
    codes = np.append(np.arange(len(categories), dtype=np.float64), np.nan).reshape(-1, 1)
    flat = nodes.add("Reshape", [column, nodes.constant(np.array([-1], dtype=np.int64))])
    if any(isinstance(value, str) for value in categories):
        index = nodes.add(
            "LabelEncoder",
            [flat],
            domain=ML,
            keys_strings=[str(value) for value in categories],
            values_int64s=list(range(len(categories))),
            default_int64=len(categories),
        )
    else:
        index = number_index(nodes, flat, np.array(categories, dtype=object), len(categories))
    return nodes.add("Gather", [nodes.constant(codes), index], axis=0)
