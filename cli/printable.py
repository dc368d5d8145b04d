"""Makes text safe for a terminal: names, log lines and errors may come from anyone."""

import re
import unicodedata

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def printable(text: str) -> str:
    """``text`` without colours and control sequences."""
    text = _COLOURS.sub("", text)
    return "".join(character if _is_printable(character) else "\N{REPLACEMENT CHARACTER}" for character in text)


def _is_printable(character: str) -> bool:
    return character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"
