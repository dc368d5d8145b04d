"""What of a text may reach a terminal: names, log lines and errors hold what anybody made up."""

import re
import unicodedata

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def printable(text: str) -> str:
    """``text`` without colours and without what would steer a terminal."""
    text = _COLOURS.sub("", text)
    return "".join(one if _is_printable(one) else "\N{REPLACEMENT CHARACTER}" for one in text)


def _is_printable(one: str) -> bool:
    return one.isprintable() or one in "\n\t" or unicodedata.category(one) == "Zs"
