"""Reads MLflow model folders: the file that the flavor keeps the model in, its input example and requirements.

Read from `MLmodel` itself, so that MLflow need not be installed.
https://mlflow.org/docs/latest/ml/model/#storage-format
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.modelpack.errors import SourceError, first_line
from serinus.modelpack.sources.extras import require
from serinus.modelpack.sources.mlflow_signature import Column, read_columns

#: By flavor, the key under which MLmodel names the file.
_FLAVORS = {
    "sklearn": "pickled_model",
    "xgboost": "data",
    "lightgbm": "data",
    "catboost": "data",
    "onnx": "data",
}
#: MLflow lists its own packages among a model's requirements; the model's file needs none of them.
_MLFLOW = ("mlflow", "mlflow-skinny", "mlflow-tracing")


@dataclass(frozen=True, slots=True)
class MlflowModel:
    """``data`` is the model's own file; ``example`` a file of rows, where there is one; ``requirements`` the raw
    lines of file ``requirements_in``, and ``python`` the minor release ("3.11") that it was logged with;
    ``columns`` the signature's, None where it names none."""

    flavor: str
    data: Path
    example: Path | None
    requirements: tuple[str, ...]
    requirements_in: Path
    python: str | None
    columns: tuple[Column, ...] | None


def read(folder: Path) -> MlflowModel:
    """The model in ``folder``; raises `SourceError` for unsupported flavors, damaged folders and links out of the
    folder."""
    _refuse_links_out(folder)
    document = _document(folder / "MLmodel")
    flavors = document.get("flavors")
    if not isinstance(flavors, dict):
        raise SourceError(f"{folder / 'MLmodel'} names no flavors. Log the model again.")
    flavor = next((name for name in _FLAVORS if isinstance(flavors.get(name), dict)), None)
    if flavor is None:
        raise SourceError(_unsupported(folder, flavors))
    requirements_in, requirements = _requirements(folder)
    return MlflowModel(
        flavor=flavor,
        data=_data(folder, flavors[flavor].get(_FLAVORS[flavor])),
        example=_example(folder, document),
        requirements=requirements,
        requirements_in=requirements_in,
        python=_python(folder),
        columns=read_columns(document),
    )


def _refuse_links_out(folder: Path) -> None:
    """The folder's author may be anybody: a link in it must not expose other files of this machine."""
    inside = folder.resolve()
    for item in sorted(folder.rglob("*")):
        if item.is_symlink() and item.is_file() and not item.resolve().is_relative_to(inside):
            raise SourceError(
                f"{item} is a link to {item.resolve()}, outside its own folder, which is not read. Replace it by "
                "a copy of the file."
            )


def _document(path: Path) -> dict[str, Any]:
    """The YAML document in ``path``."""
    yaml = require("yaml", "mlflow")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SourceError(f"{path} cannot be read ({first_line(error)}). Log the model again.") from error
    if not isinstance(document, dict):
        raise SourceError(f"{path} cannot be read: it is not a mapping. Log the model again.")
    return document


def _unsupported(folder: Path, flavors: dict[str, Any]) -> str:
    logged, supported = ", ".join(map(str, flavors)) or "none", ", ".join(_FLAVORS)
    if list(flavors) == ["python_function"]:
        return (
            f"{folder} holds an MLflow python_function, Python code that cannot become a graph; {supported} are "
            "supported. Log the model inside it with its own flavor, and package that."
        )
    return f"{folder} holds MLflow flavors {logged}; {supported} are supported. Log the model with one of them."


def _data(folder: Path, named: Any) -> Path:
    data = None if named is None else _inside(folder, str(named))
    if data is not None and data.is_dir():
        first = next((path for path in sorted(data.iterdir()) if path.is_file()), None)
        data = None if first is None else _inside(folder, str(first.relative_to(folder.resolve())))
    if data is None or not data.is_file():
        raise SourceError(
            f"{folder} lacks {named or 'the model file'}, named in its MLmodel. Log the model again."
        )
    return data


def _example(folder: Path, document: dict[str, Any]) -> Path | None:
    described = document.get("saved_input_example_info")
    if not isinstance(described, dict) or "artifact_path" not in described:
        return None
    example = _inside(folder, str(described["artifact_path"]))
    return example if example.is_file() else None


def _requirements(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The file that lists them, and its lines: requirements.txt, else conda.yaml's pip part; without MLflow
    itself."""
    path = folder / "requirements.txt"
    if path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    else:
        path = folder / "conda.yaml"
        parts = [item["pip"] for item in _of_conda(folder) if isinstance(item, dict) and "pip" in item]
        lines = [str(line) for part in parts if isinstance(part, list) for line in part]
    kept = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return path, tuple(line for line in kept if not _names_mlflow(line))


def _of_conda(folder: Path) -> list[Any]:
    """The dependencies of conda.yaml, where there are any."""
    if not (folder / "conda.yaml").is_file():
        return []
    listed = _document(folder / "conda.yaml").get("dependencies")
    return listed if isinstance(listed, list) else []


def _python(folder: Path) -> str | None:
    """Python's minor release, of python_env.yaml or conda.yaml."""
    if (folder / "python_env.yaml").is_file():
        version = str(_document(folder / "python_env.yaml").get("python", ""))
    else:
        named = [item for item in _of_conda(folder) if isinstance(item, str) and item.startswith("python=")]
        version = named[0].removeprefix("python=").lstrip("=") if named else ""
    return ".".join(version.split(".")[:2]) or None


def _names_mlflow(line: str) -> bool:
    """Whether ``line``, which need not be a valid requirement, begins with one of MLflow's own packages."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) in _MLFLOW


def _inside(folder: Path, named: str) -> Path:
    try:
        path = (folder / named).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(
            f"{folder / 'MLmodel'} names {named!r}: {first_line(error)}. Log the model again."
        ) from error
    if not path.is_relative_to(folder.resolve()):
        raise SourceError(
            f"{folder / 'MLmodel'} names {named!r}, outside its own folder: it is not read. Log the model again."
        )
    return path
