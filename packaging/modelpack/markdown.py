"""Escapes users' names and text for Markdown, so that they show as they are.

https://spec.commonmark.org/0.31.2/#backslash-escapes and, for tables, https://github.github.com/gfm/#tables-extension-
"""

import re
import unicodedata

#: Special anywhere; an underscore only where no letter or digit is on both sides of it.
_MARKS = re.compile(r"[\\`*<\[\]|&~]|(?<![^\W_])_|_(?![^\W_])")
_RUNS = re.compile(r"`+")


def text(value: object) -> str:
    """``value`` as one line of text, also within a cell of a table."""
    return _MARKS.sub(lambda match: f"\\{match[0]}", single_line(value))


def code(value: object) -> str:
    """``value`` as a span of code, fenced by more backticks than it holds; not for tables, which split at "|"."""
    shown = single_line(value)
    fence = "`" * (1 + max((len(run) for run in _RUNS.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def single_line(value: object) -> str:
    """``value`` with spaces for line ends, and a replacement character for each control character."""
    return "".join(map(_visible, " ".join(str(value).splitlines()).replace("\t", " ")))


def _visible(character: str) -> str:
    return (
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else "\N{REPLACEMENT CHARACTER}"
    )
