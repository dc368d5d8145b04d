"""Detects PyTorch's archives by the files in them, without PyTorch."""

import zipfile
from pathlib import Path
from typing import Literal

TorchFormat = Literal["exported", "script", "weights"]


def torch_format(path: Path) -> TorchFormat | None:
    """The kind of PyTorch archive in ``path``; None where it is not one."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith(("models/model.json", "serialized_exported_program.json")) for name in names):
        return "exported"
    if not any(name.endswith("/data.pkl") for name in names):
        return None
    return "script" if any("/code/" in name for name in names) else "weights"
