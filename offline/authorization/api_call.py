"""A call as authorization sees it, before any service does."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serinus.offline.cloud.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation with its parameters, in ``region``; ``action`` is what IAM calls it."""

    cloud: "Cloud"
    service: str
    operation: str
    action: str
    params: dict[str, Any]
    region: str
    method: str
    path: str

    @property
    def account_id(self) -> str:
        return self.cloud.config.account_id

    def arn(self, rest: str, *, service: str | None = None) -> str:
        """An ARN of this region and account."""
        return f"arn:aws:{service or self.service}:{self.region}:{self.account_id}:{rest}"
