"""How long-running work reports its progress, whether to a terminal, a log or nobody."""

from typing import Protocol


class Progress(Protocol):
    """Called from the working thread; must return quickly."""

    def stage(self, name: str) -> None:
        """A stage begins, and the one before it is done; or a part of the stage under way, "STAGE: PART"."""

    def notice(self, message: str) -> None:
        """A message for the user, shown once; the work continues."""


class Silent:
    """Discards all reports."""

    def stage(self, name: str) -> None:
        """Nothing to do."""

    def notice(self, message: str) -> None:
        """Nothing to do."""
