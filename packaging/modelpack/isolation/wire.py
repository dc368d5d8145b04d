"""Serializes tables and arrays between two Pythons: as npz files, without pickles that one may be unable to read.

Strings and all else that NumPy would pickle are sent as JSON.
"""

import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.modelpack.sample import Sample

_HEADER = "header"


def pack(values: dict[str, npt.NDArray[Any]]) -> bytes:
    """Arrays by name, in their order."""
    header, stored = [], {}
    for index, (name, array) in enumerate(values.items()):
        plain = array.dtype.kind != "O"
        header.append([name, plain, None if plain else array.shape])
        text = b"" if plain else json.dumps(array.tolist(), default=_plain).encode()
        stored[str(index)] = array if plain else np.frombuffer(text, dtype=np.uint8)
    stored[_HEADER] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    written = io.BytesIO()
    np.savez(written, **stored)  # type: ignore[arg-type]
    return written.getvalue()


def unpack(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays that `pack` serialized."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        header = json.loads(stored[_HEADER].tobytes())
        return {
            name: stored[str(index)] if plain else _objects(json.loads(stored[str(index)].tobytes()), shape)
            for index, (name, plain, shape) in enumerate(header)
        }


def pack_frame(frame: pd.DataFrame) -> bytes:
    """The table; cells are numbers, booleans, strings, missing or nested lists."""
    return pack({str(name): frame[name].to_numpy() for name in frame.columns})


def unpack_frame(content: bytes) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in unpack(content).items()})


def describe_sample(sample: Sample) -> dict[str, Any]:
    """The sample without its table, as plain data."""
    return {"dtypes": sample.dtypes, "shapes": {name: list(shape) for name, shape in sample.shapes.items()}}


def rebuild_sample(frame: pd.DataFrame, described: dict[str, Any]) -> Sample:
    shapes = {name: tuple(shape) for name, shape in described["shapes"].items()}
    return Sample(frame, dict(described["dtypes"]), None, shapes)


def _objects(cells: list[Any], shape: list[int]) -> npt.NDArray[Any]:
    """As an array of exactly ``shape``, also where the cells themselves are lists."""
    array = np.empty(shape, dtype=object)
    for position in np.ndindex(*shape):
        cell: Any = cells
        for index in position:
            cell = cell[index]
        array[position] = cell
    return array


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else np.asarray(value).tolist()
