"""The client's response, whatever its source."""

from dataclasses import dataclass, field

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Reply:
    """Status, headers in order (names as they will be sent) and body."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def has(self, name: str) -> bool:
        return any(header.lower() == name for header, _ in self.headers)
