"""The lint's findings: the fault, its line and the fix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from serinus.infra.settings import Endpoint, Settings

#: A note says what a deploy does, which need not be wrong.
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule's result, before its line is known. ``key`` is the setting's path within an endpoint's table."""

    severity: Severity
    key: tuple[str, ...]
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One setting that AWS would reject or ignore later. ``line`` counts from 1 in serinus.toml; None if no line
    is at fault."""

    severity: Severity
    endpoint: str
    line: int | None
    key: str
    what: str
    mend: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key}: {self.what}. {self.mend}"


#: A rule checks one endpoint in one environment.
Rule = Callable[[Settings, Endpoint], Iterator[Problem]]
