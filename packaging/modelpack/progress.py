"""How long work tells of itself, without knowing who listens: a terminal, a log or nobody."""

from typing import Protocol


class Progress(Protocol):
    """Called from the working thread; must return quickly."""

    def stage(self, name: str) -> None:
        """A stage begins, and the one before it is done."""

    def notice(self, message: str) -> None:
        """Something that the user should know, once, though the work goes on."""


class Silent:
    """Tells nobody."""

    def stage(self, name: str) -> None:
        """Nothing to do."""

    def notice(self, message: str) -> None:
        """Nothing to do."""
