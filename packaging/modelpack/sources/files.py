"""Detects the format of model files, by content and not by name, and opens skops, joblib and pickle.

Loading a pickle runs any code that its author put there, so the user is warned once; skops files name their types
and run only trusted ones.
"""

import hashlib
import warnings
import zipfile
from pathlib import Path
from typing import Any, Literal

from serinus.modelpack.errors import SourceError, UntrustedTypesError, VersionSkewError, first_line
from serinus.modelpack.progress import Progress
from serinus.modelpack.sources.torch_files import torch_format

Format = Literal["mlflow", "catboost", "lightgbm", "xgboost", "onnx", "torch", "skops", "pickle"]

#: A zip that unpacks to more than this many times its size, and is not small, would exhaust memory.
_MOST_UNPACKED, _SMALL_BYTES = 200, 64_000_000

PICKLE_NOTICE = (
    "loading a pickle or joblib file runs the code in it: package only files from people you trust. "
    "skops files (skops.io.dump) are loaded without that risk."
)

PROGRAM_NOTICE = (
    "loading a program of torch.export may run pickled code in it: package only files from people you trust. "
    "ONNX files are loaded without that risk."
)


def hash_file(path: Path) -> str:
    """SHA-256 of the file, 64 hex digits; of a folder's files in order, with their relative paths."""
    if path.is_dir():
        whole = hashlib.sha256()
        for part in sorted(item for item in path.rglob("*") if item.is_file()):
            whole.update(f"{part.relative_to(path).as_posix()}\0{hash_file(part)}\n".encode())
        return whole.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def total_bytes(path: Path) -> int:
    """Bytes of the file, or of all files in the folder."""
    return sum(item.stat().st_size for item in ([path] if path.is_file() else path.rglob("*")) if item.is_file())


def detect_format(path: Path) -> Format:
    """The format of model file ``path``, by its content; raises `SourceError` where it is absent, empty or
    unreadable."""
    if path.is_dir():
        if (path / "MLmodel").is_file():
            return "mlflow"
        raise SourceError(
            f"{path} is a folder but not an MLflow model. Pass the model file itself, or the folder that contains "
            "MLmodel."
        )
    if not path.is_file():
        raise SourceError(f"{path} does not exist. Pass the model file or an MLflow model's folder.")
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty. Save the model again.")
    try:
        with path.open("rb") as file:
            head = file.read(256)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}. Grant yourself read permission.") from error
    if head.startswith(b"CBM1"):
        return "catboost"
    if head.startswith(b"tree\n"):
        return "lightgbm"
    if head.startswith(b"{") and b"learner" in head:
        return "xgboost"
    if torch_format(path) is not None:
        return "torch"
    if path.suffix == ".onnx" or (head.startswith(b"\x08") and not zipfile.is_zipfile(path)):
        return "onnx"
    return "skops" if _is_skops(path) else "pickle"


def open_model(
    path: Path, format_: Format, *, trust: tuple[str, ...], allow_version_skew: bool, progress: Progress
) -> Any:
    """The object saved in ``path``, which is `skops` or `pickle`; raises `SourceError` when it cannot be loaded.

    ``trust`` names the types that a skops file may hold besides those that skops trusts itself.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = _open_skops(path, trust) if format_ == "skops" else _open_pickle(path, progress)
    _check_versions(path, caught, allow_version_skew, progress)
    return model


def _is_skops(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "schema.json" in archive.namelist()


def _refuse_bomb(path: Path) -> None:
    """Arrays compress well, but not by this much."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(item.file_size for item in archive.infolist())
    packed = path.stat().st_size
    if unpacked > _MOST_UNPACKED * packed and unpacked > _SMALL_BYTES:
        raise SourceError(
            f"{path} would unpack to {unpacked / 1e6:.0f} MB from {packed / 1e6:.2f} MB, more than "
            f"{_MOST_UNPACKED} times its size, as no model does; it was not opened. Save the model again with "
            "skops.io.dump."
        )


def _open_skops(path: Path, trust: tuple[str, ...]) -> Any:
    from skops import io as skops_io

    _refuse_bomb(path)
    try:
        untrusted = sorted(set(skops_io.get_untrusted_types(file=path)) - set(trust))
        if untrusted:
            flags = " ".join(f"--trust {name}" for name in untrusted)
            raise UntrustedTypesError(
                f"{path} holds types that skops does not list as safe: {', '.join(untrusted)}. "
                f"If you trust its author, package with {flags}",
                tuple(untrusted),
            )
        return skops_io.load(path, trusted=list(trust))
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(_unreadable(path, error)) from error


def _open_pickle(path: Path, progress: Progress) -> Any:
    import joblib

    progress.notice(PICKLE_NOTICE)
    try:
        return joblib.load(path)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"{path} requires the Python module {error.name!r}, which is not installed. Install it, list it in "
            "--requirements FILE, or save the model without your own classes."
        ) from error

    except Exception as error:
        raise SourceError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: Exception) -> str:
    reason = f"{type(error).__name__}: {first_line(error)}"
    if isinstance(error, AttributeError) and "__main__" in reason:
        return (
            f"{path} cannot be loaded ({reason}): it refers to a function or class of the script or notebook that "
            "saved it. Put that code in an importable module and save the model again, or package the fitted "
            "pipeline without it."
        )
    return (
        f"{path} cannot be loaded as a joblib, pickle or skops file ({reason}). "
        "It may be cut short, saved by a newer release, or not a model. Save it again with joblib.dump or "
        "skops.io.dump."
    )


def _check_versions(
    path: Path, caught: list[warnings.WarningMessage], allow_version_skew: bool, progress: Progress
) -> None:
    """A model of another minor release may predict something else without any warning, and comparing it with
    itself would not show that."""
    for item in caught:
        saved = getattr(item.message, "original_sklearn_version", None)
        if saved is None:
            continue
        installed = str(getattr(item.message, "current_sklearn_version", ""))
        mismatch = f"{path} was saved by scikit-learn {saved}; {installed} is installed"
        if allow_version_skew or _minor(saved) == _minor(installed):
            progress.notice(f"{mismatch}. Its predictions may differ from those of its own release.")
            return
        raise VersionSkewError(
            f"{mismatch}, and predictions may differ between them. Package with --requirements FILE that pins "
            f"scikit-learn=={saved}, train again, or package with --allow-version-skew.",
            str(saved),
            installed,
        )


def _minor(version: object) -> list[str]:
    return str(version).split(".")[:2]
