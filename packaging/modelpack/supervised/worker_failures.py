"""The errors for a worker process that ended early: the cause, and the next step."""

import errno
from pathlib import Path

from serinus.modelpack.errors import WorkerError
from serinus.modelpack.supervised.group import ending

#: Raised to end a process: never by us, and not by a failing library.
_EXITS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit")
#: How Python words a full disk.
_FULL = tuple(f"[Errno {number}]" for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def failed(source: Path, stage: str, kind: str, message: str) -> WorkerError:
    """An error was raised that is not one of ours."""
    lines = message.strip().splitlines()
    what = f"{kind}: {lines[0][:300]}" if lines else kind
    if kind in _EXITS:
        return _error(
            source,
            stage,
            f"its code, or a library that it calls, ended the process ({what})",
            "Move that code out of the model: package the fitted estimator or pipeline without it.",
        )
    if kind == "OSError" and lines and lines[0].startswith(_FULL):
        return _error(
            source, stage, what, "Free some space on the disk of temporary files, or set TMPDIR to another."
        )
    return _error(source, stage, what, "Run serinus --debug package to see where it was raised.")


def ended(source: Path, stage: str, exit_code: int) -> WorkerError:
    """The process ended by itself or by a signal."""
    how = ending(exit_code)
    if exit_code >= 0:
        step = (
            "The model's code, or a library that it calls, ends the process. Package the fitted estimator or "
            "pipeline without that code."
        )
    elif "SIGKILL" in how:
        step = (
            "The system kills processes that exhaust its memory: package a smaller model or sample, or use a "
            "machine with more memory."
        )
    else:
        step = (
            "A compiled library crashed: the file may be damaged, or saved by versions other than the installed "
            "ones. Save it again, or pass its versions with --requirements FILE."
        )
    return _error(source, stage, f"the process that ran it {how}", step)


def too_slow(source: Path, stage: str, limit_s: float) -> WorkerError:
    """The worker was silent for longer than the limit."""
    count, unit = (limit_s / 60, "minute") if limit_s >= 60 else (limit_s, "second")
    limit = f"{count:g} {unit}{'' if count == 1 else 's'}"
    return _error(
        source,
        stage,
        f"it made no progress for {limit}, so it was ended",
        "The model may never return, as in an endless loop; if it is only slow, pass fewer rows, or allow more "
        "minutes with --timeout.",
    )


def garbled(source: Path, stage: str) -> WorkerError:
    """A message cannot be read: the model's code wrote into the pipe too."""
    return _error(
        source,
        stage,
        "its code wrote into the pipe on which the worker process reports",
        "Save the model without code that writes to files it did not open.",
    )


def _error(source: Path, stage: str, what: str, step: str) -> WorkerError:
    return WorkerError(f"{source} could not be packaged: {what}, in stage {stage!r}. Nothing was written. {step}")
