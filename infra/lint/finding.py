"""What the lint says of one setting: what is wrong, where it is written, how to mend it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from serinus.infra.settings import Endpoint, Settings

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule's find, before its place is known. ``key`` leads to the setting within an endpoint's table."""

    severity: Severity
    key: tuple[str, ...]
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that AWS would refuse or ignore later. ``line`` counts from 1 in serinus.toml; None where no line
    of it is at fault."""

    severity: Severity
    endpoint: str
    line: int | None
    key: str
    what: str
    mend: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key}: {self.what}. {self.mend}"


#: A rule looks at one endpoint as decided for one environment.
Rule = Callable[[Settings, Endpoint], Iterator[Problem]]
