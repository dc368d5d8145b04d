"""Probes."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Probe:
    """What golden requests to one version came to. "unknown" is a probe that Lambda did not let through."""

    outcome: Literal["passed", "failed", "unknown"]
    detail: str

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def failed(self) -> bool:
        return self.outcome == "failed"
