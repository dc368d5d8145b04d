"""What is said where the process that ran a model's code came to no good end: what happened, and what to do."""

from pathlib import Path

from serinus.modelpack.errors import WorkerError
from serinus.modelpack.supervised.group import ending

#: What ends a process by being raised: never of ours, and no fault of a library's.
_EXITS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit")


def failed(source: Path, stage: str, kind: str, message: str) -> WorkerError:
    """Something was raised that is no refusal of ours."""
    lines = message.strip().splitlines()
    what = f"{kind}: {lines[0][:300]}" if lines else kind
    if kind in _EXITS:
        return _error(
            source,
            stage,
            f"code in it, or of a library that it calls, ended the process ({what})",
            "Save the model without that code.",
        )
    return _error(source, stage, what, "serinus --debug package shows where it was raised.")


def ended(source: Path, stage: str, exit_code: int) -> WorkerError:
    """The process ended by itself or by a signal."""
    how = ending(exit_code)
    if exit_code >= 0:
        step = "Code in the model, or of a library that it calls, ends the process: save the model without it."
    elif "SIGKILL" in how:
        step = (
            "So a system ends what fills its memory: package a smaller model or sample, or on a machine with more "
            "memory."
        )
    else:
        step = (
            "A compiled library did that: the file may be damaged, or of other versions than are installed. Save "
            "it again, or name its versions with --env requirements.txt."
        )
    return _error(source, stage, f"the process that ran it {how}", step)


def too_slow(source: Path, stage: str, limit_s: float) -> WorkerError:
    """Nothing was heard for longer than is waited."""
    count, unit = (limit_s / 60, "minute") if limit_s >= 60 else (limit_s, "second")
    limit = f"{count:g} {unit}{'' if count == 1 else 's'}"
    return _error(
        source,
        stage,
        f"nothing was heard of it for {limit}, so it was ended",
        "The model may never answer, as a loop without an end does not; if it is only slow, give fewer rows, or "
        "more minutes with --timeout.",
    )


def garbled(source: Path, stage: str) -> WorkerError:
    """What is told cannot be read: somebody else wrote there too."""
    return _error(
        source,
        stage,
        "its code wrote into what the process that ran it tells",
        "Save the model without code that writes to files which it did not open.",
    )


def _error(source: Path, stage: str, what: str, step: str) -> WorkerError:
    return WorkerError(f"{source} could not be packaged: {what}, in stage {stage!r}. Nothing was made. {step}")
