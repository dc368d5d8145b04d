"""Scalable targets and their scheduled actions, as they are kept."""

from dataclasses import dataclass, field
from typing import Any

from serinus.offline.core.errors import AwsError

Document = dict[str, Any]


@dataclass(slots=True)
class ScheduledAction:
    """``document`` has AWS's shape; ``due`` is the cloud time of the next run, None if there is none."""

    document: Document
    due: float | None = None


@dataclass(slots=True)
class ScalableTarget:
    """``document`` has AWS's shape; ``actions`` by name."""

    document: Document
    actions: dict[str, ScheduledAction] = field(default_factory=dict)

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest capacity."""
        return self.document["MinCapacity"], self.document["MaxCapacity"]


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def not_found(message: str) -> AwsError:
    return AwsError("ObjectNotFoundException", message)
