"""MLflow model folders: which file the flavor keeps the model in, its input example and its requirements.

Read from `MLmodel` itself, so that MLflow need not be installed.
https://mlflow.org/docs/latest/ml/model/#storage-format
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from modelpack.errors import SourceError, first_line
from modelpack.sources.extras import require

#: By flavor, the keys under which MLmodel names the file.
_FLAVORS = {
    "sklearn": ("pickled_model",),
    "xgboost": ("data",),
    "lightgbm": ("data",),
    "catboost": ("data",),
    "onnx": ("data",),
}


@dataclass(frozen=True, slots=True)
class MlflowModel:
    """``data`` is the model's own file; ``example`` and ``requirements`` files beside it, where there are any;
    ``inputs`` the signature's column names."""

    flavor: str
    data: Path
    example: Path | None
    requirements: Path | None
    inputs: tuple[str, ...] | None


def read(folder: Path) -> MlflowModel:
    """What ``folder`` holds; raises `SourceError` for flavors that are not supported and damaged folders."""
    yaml = require("yaml", "mlflow")
    try:
        document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavors = document["flavors"]
        flavor = next((name for name in _FLAVORS if name in flavors), None)
    except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{folder / 'MLmodel'} cannot be read ({first_line(error)}). Log the model again."
        ) from error
    if flavor is None:
        raise SourceError(
            f"{folder} holds MLflow flavors {', '.join(flavors)}; {', '.join(_FLAVORS)} are supported. Log the "
            f"model "
            "with one of them."
        )
    named = next((flavors[flavor][key] for key in _FLAVORS[flavor] if key in flavors[flavor]), None)
    data = None if named is None else _inside(folder, str(named))
    if data is not None and data.is_dir():
        data = next((path for path in sorted(data.iterdir()) if path.is_file()), None)
    if data is None or not data.is_file():
        raise SourceError(
            f"{folder} lacks {named or 'the model file'}, which its MLmodel names. Log the model again."
        )
    described = document.get("saved_input_example_info") or {}
    example = _inside(folder, str(described["artifact_path"])) if "artifact_path" in described else None
    requirements = folder / "requirements.txt"
    return MlflowModel(
        flavor=flavor,
        data=data,
        example=example if example is not None and example.is_file() else None,
        requirements=requirements if requirements.is_file() else None,
        inputs=_inputs(document),
    )


def read_example(path: Path) -> pd.DataFrame:
    """The input example as a table; raises `SourceError` where it is none."""
    try:
        data = json.loads(path.read_bytes())
        return pd.DataFrame(data["data"], columns=data.get("columns"))
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"input example {path} is no table ({first_line(error)}). Give rows with --sample."
        ) from error


def _inputs(document: dict[str, Any]) -> tuple[str, ...] | None:
    try:
        names = [column.get("name") for column in json.loads(document["signature"]["inputs"])]
    except (KeyError, TypeError, ValueError):
        return None  # a signature is optional; the model's own names and the sample's serve
    return tuple(names) if names and all(names) else None


def _inside(folder: Path, named: str) -> Path:
    place = (folder / named).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise SourceError(f"{folder / 'MLmodel'} names {named!r}, outside its own folder, which is not read.")
    return place
