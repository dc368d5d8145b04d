"""The call that authorization checks, before its service sees it."""

from dataclasses import dataclass
from typing import Any

from serinus.offline.core.ports import DeploymentGroups
from serinus.offline.core.readings import Readings


@dataclass(frozen=True, slots=True)
class ApiCall:
    """An operation with its parameters, in ``region``; ``action`` is its name in IAM."""

    account_id: str
    deployment_groups: DeploymentGroups
    service: str
    operation: str
    action: str
    params: dict[str, Any]
    region: str
    method: str
    path: str
    readings: Readings

    def arn(self, rest: str, *, service: str | None = None) -> str:
        """An ARN of this region and account."""
        return f"arn:aws:{service or self.service}:{self.region}:{self.account_id}:{rest}"
