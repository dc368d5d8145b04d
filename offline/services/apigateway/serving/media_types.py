"""Detects binary bodies: an API's ``binaryMediaTypes`` against a Content-Type or Accept header."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class MediaTypes:
    """The binary media types of an API; "*/*" makes every body binary, even without a type."""

    patterns: tuple[str, ...]
    _known: dict[str, bool] = field(default_factory=dict)

    @property
    def everything(self) -> bool:
        return "*/*" in self.patterns

    def match(self, header: str | None) -> bool:
        """Whether the first media type in ``header`` is binary."""
        if not self.patterns:
            return False
        if self.everything:
            return True
        if header is None:
            return False
        known = self._known.get(header)
        if known is None:
            known = self._known[header] = self._matches(header.split(",")[0].split(";")[0].strip().lower())
        return known

    def _matches(self, media_type: str) -> bool:
        kind = media_type.partition("/")[0]
        return any(pattern.lower() in (media_type, f"{kind}/*") for pattern in self.patterns)
