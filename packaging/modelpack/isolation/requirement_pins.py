"""Parses requirements that come with a model as names and versions, and as nothing else.

A line of a requirements file may also name an option, a URL, a path or a package that is built at installation;
each lets the author of the line run code here or choose what is fetched. Such lines are refused and never reach an
installer. https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

#: No character that an installer could read as a path, a comment or a further line; two hyphens begin an option.
_MARKER = re.compile(r"(?:(?!--)[A-Za-z0-9_.<>=!~'\"()+,\s-])+", re.ASCII)
#: An installer takes a name with such an ending for a file.
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar(?:\.\w+)?|t[a-z]z2?|tb2)$", re.ASCII | re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_SHOWN_CHARACTERS = 120
_SHOWN_LINES = 5


@dataclass(frozen=True, slots=True)
class RequirementLines:
    """``pinned`` name one version each, by `==`; ``open`` name none or a range; ``refused`` are anything else. The
    first two are written from their parsed parts, the last as they are."""

    pinned: tuple[str, ...]
    open: tuple[str, ...]
    refused: tuple[str, ...]


def parse_lines(lines: Iterable[str]) -> RequirementLines:
    """Sort ``lines`` of a requirements file; skip empty ones and comments."""
    pinned, ranges, refused = [], [], []
    for line in lines:
        # An entry of conda.yaml may hold several lines, which an installer would read one by one.
        text = line.strip() if len(line.splitlines()) > 1 else _COMMENT.sub("", line).strip()
        if not text:
            continue
        requirement = _parse(text)
        if requirement is None:
            refused.append(text)
        elif _is_pin(requirement):
            pinned.append(_render(requirement, text))
        else:
            ranges.append(_render(requirement, text))
    return RequirementLines(tuple(pinned), tuple(ranges), tuple(refused))


def format_lines(lines: Sequence[str]) -> str:
    """The first lines for a message, each cut where it is long, and the number of those left out."""
    first = ", ".join(
        repr(line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…")
        for line in lines[:_SHOWN_LINES]
    )
    return first if len(lines) <= _SHOWN_LINES else f"{first} and {len(lines) - _SHOWN_LINES} more such lines"


def _parse(text: str) -> Requirement | None:
    """None where ``text`` is more than a name with extras, numbered versions and a marker, on one line."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    versions, _, marker = text.partition(";")
    is_plain = (
        len(text.splitlines()) == 1
        and text.isascii()
        and requirement.url is None
        and not _ARCHIVE.search(requirement.name)
        and not versions.rstrip().endswith((",", ")"))
        and all(part.operator != "===" and part.version[0].isdigit() for part in requirement.specifier)
        and (not marker or _MARKER.fullmatch(marker) is not None)
    )
    return requirement if is_plain else None


def _is_pin(requirement: Requirement) -> bool:
    parts = list(requirement.specifier)
    return len(parts) == 1 and parts[0].operator == "==" and not parts[0].version.endswith(".*")


def _render(requirement: Requirement, text: str) -> str:
    """From the parsed parts, versions and marker as in ``text``."""
    before, _, marker = text.partition(";")
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    versions = ",".join(sorted(map(str, requirement.specifier), key="".join(before.split()).find))
    return f"{requirement.name}{extras}{versions}" + (f" ; {' '.join(marker.split())}" if marker else "")
