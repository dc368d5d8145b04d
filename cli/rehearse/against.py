"""What a rehearsal compares a candidate with: an option of the command line, whose help loads nothing else."""

from enum import StrEnum


class Against(StrEnum):
    """The bundle that is live first."""

    PINNED = "pinned"
    LIVE = "live"
