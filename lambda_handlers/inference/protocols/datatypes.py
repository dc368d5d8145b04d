"""The protocol's names of datatypes, and their bytes: little-endian values side by side; BYTES are strings, each
after its length in four bytes.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import struct
from typing import Any

import numpy as np

from serinus.lambda_handlers.inference.tensors import Array

#: By the dtype of a signature.
NAMES = {
    "float32": "FP32",
    "float64": "FP64",
    "int32": "INT32",
    "int64": "INT64",
    "bool": "BOOL",
    "string": "BYTES",
}
#: By name, as bytes hold them.
DTYPES = {
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
}
KNOWN = (*DTYPES, "BOOL", "BYTES")
_LENGTH = struct.Struct("<I")


def unpack(datatype: str, data: bytes) -> list[Any]:
    """The values in ``data``, None for NaN; raises `ValueError` if they do not match ``datatype``."""
    if datatype == "BYTES":
        return _strings(data)
    if datatype == "BOOL":
        if data.strip(b"\0\1"):
            raise ValueError("a BOOL must be a byte 0 or 1")
        return [byte == 1 for byte in data]
    dtype = np.dtype(DTYPES[datatype])
    if len(data) % dtype.itemsize:
        raise ValueError(f"{len(data)} bytes are not a whole number of {datatype}, {dtype.itemsize} bytes each")
    values = np.frombuffer(data, dtype)
    if dtype.kind == "f" and np.isnan(values).any():
        return [None if value != value else value for value in values.tolist()]
    return values.tolist()  # type: ignore[no-any-return]


def _strings(data: bytes) -> list[str]:
    strings, start = [], 0
    while start < len(data):
        end = start + 4
        if end <= len(data):
            end += _LENGTH.unpack_from(data, start)[0]
        if end > len(data):
            raise ValueError(f"the string at byte {start} ends beyond the data")
        try:
            strings.append(data[start + 4 : end].decode())
        except UnicodeDecodeError as error:
            raise ValueError(f"the string at byte {start} is not valid UTF-8") from error
        start = end
    return strings


def name_of(array: Array) -> str:
    """The datatype of an output."""
    return NAMES.get(array.dtype.name, "BYTES")


def pack(array: Array) -> bytes:
    """An output's values, row by row."""
    if name_of(array) == "BYTES":
        strings = [str(value).encode() for value in array.reshape(-1)]
        return b"".join(part for text in strings for part in (_LENGTH.pack(len(text)), text))
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
