"""The events that end a wait for a worker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ready:
    """The runtime polled for its next invocation: init, or restore, is complete."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A SnapStart runtime polled for its restore: here AWS takes the snapshot."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The handler returned. ``size_bytes`` may exceed the length of ``body``, which is cut."""

    body: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler, init or restore raised; ``body`` is the error as the runtime client words it."""

    body: bytes
    error_type: str


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended; ``code`` is `subprocess`'s return code, negative for a signal."""

    code: int

    @property
    def reason(self) -> str:
        """AWS's message for this exit."""
        if self.code == 0:
            return "Runtime exited without providing a reason"
        if self.code < 0:
            return f"Runtime exited with error: signal: {SIGNAL_WORDS.get(-self.code, str(-self.code))}"
        return f"Runtime exited with error: exit status {self.code}"


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """The worker grew beyond the function's memory and was killed."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The time limit passed."""

    limit_s: float


Signal = Ready | Parked | Answered | Failed | Exited | OutOfMemory | TimedOut

SIGNAL_WORDS = {4: "illegal instruction", 6: "aborted", 7: "bus error", 8: "floating point exception"}
SIGNAL_WORDS |= {9: "killed", 11: "segmentation fault", 15: "terminated"}
