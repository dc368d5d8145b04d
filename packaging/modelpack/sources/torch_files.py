"""Tells PyTorch's archives apart by what lies in them, without PyTorch."""

import zipfile
from pathlib import Path
from typing import Literal

TorchFormat = Literal["exported", "script", "weights"]


def torch_format(path: Path) -> TorchFormat | None:
    """What PyTorch saved in ``path``; None where it is no archive of PyTorch's."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith(("models/model.json", "serialized_exported_program.json")) for name in names):
        return "exported"
    if not any(name.endswith("/data.pkl") for name in names):
        return None
    return "script" if any("/code/" in name for name in names) else "weights"
