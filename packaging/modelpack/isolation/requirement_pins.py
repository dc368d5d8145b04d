"""Requirements that come with a model, read as names and versions and as nothing else.

A line of a requirements file may also name an option, a URL, a path or a package that is built when it is
installed, each of which lets whoever wrote the line run code of theirs here or fetch from where they like. Such
lines are told apart here and never reach an installer.
https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_VERSION = r"[0-9][0-9A-Za-z.!+_-]*"
_SPECIFIER = rf"(?:(?:==|!=)\s*{_VERSION}(?:\.\*)?|(?:<=|>=|~=|<|>)\s*{_VERSION})"
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"\s*(?P<extras>\[[A-Za-z0-9._,\s-]*\])?"
    rf"\s*(?P<versions>{_SPECIFIER}(?:\s*,\s*{_SPECIFIER})*)?"
    # Two hyphens would begin an option of the installer's.
    r"\s*(?:;(?P<marker>(?:(?!--)[A-Za-z0-9_.<>=!~'\"()+,\s-])+))?",
    re.ASCII,
)
_PINNED = re.compile(rf"==\s*({_VERSION})", re.ASCII)
#: What ends so is a file to an installer, though a name may end so too.
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar(?:\.\w+)?|t[a-z]z2?|tb2)$", re.ASCII | re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_SHOWN_CHARACTERS = 120
_SHOWN_LINES = 5


@dataclass(frozen=True, slots=True)
class Lines:
    """``pinned`` name one version each, by `==`; ``open`` name none or a range; ``refused`` are of no such form.
    The first two are written as their parts were read, the last as they stand."""

    pinned: tuple[str, ...]
    open: tuple[str, ...]
    refused: tuple[str, ...]


def read_lines(lines: Iterable[str]) -> Lines:
    """Tell ``lines`` of a requirements file apart; empty ones and comments are passed over."""
    pinned, ranges, refused = [], [], []
    for line in lines:
        # Within a line there is none: a list of conda's may hold what would be several for an installer.
        said = line.strip() if len(line.splitlines()) > 1 else _COMMENT.sub("", line).strip()
        if not said:
            continue
        match = _LINE.fullmatch(said)
        if match is None or _ARCHIVE.search(match["name"]) or len(said.splitlines()) > 1:
            refused.append(said)
        elif _PINNED.fullmatch(match["versions"] or ""):
            pinned.append(_written(match))
        else:
            ranges.append(_written(match))
    return Lines(tuple(pinned), tuple(ranges), tuple(refused))


def shown(lines: Sequence[str]) -> str:
    """The first lines for a message, each cut where it is long, and how many there are where some are left out."""
    first = ", ".join(
        repr(line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…")
        for line in lines[:_SHOWN_LINES]
    )
    return first if len(lines) <= _SHOWN_LINES else f"{first} and {len(lines) - _SHOWN_LINES} more such lines"


def _written(match: "re.Match[str]") -> str:
    parts = [re.sub(r"\s+", "", match[part] or "") for part in ("name", "extras", "versions")]
    marker = "" if match["marker"] is None else f" ; {' '.join(match['marker'].split())}"
    return "".join(parts) + marker
