"""Finds the line of each key in a TOML document, for errors: no TOML library reports it.

Only documents that `tomllib` has accepted are read, so the scanner need not check what it skips.
"""

import re
import tomllib

#: Keys, and indices within arrays, from the document's root to a value.
KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:\\.|[^"\\])*"|' + r"'[^']*'", re.DOTALL
)
_PLAIN_VALUE = re.compile(r"[^,\]}\s#]+(?: \d[^,\]}\s#]*)?")


def find_positions(text: str) -> dict[KeyPath, int]:
    """Line (from 1) of each table header, key and array element of the TOML document ``text``."""
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        counts: dict[KeyPath, int] = {}
        self.skip_blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header(counts)
            else:
                self.pair(table)
            self.skip_blank()
        return self.lines

    def header(self, counts: dict[KeyPath, int]) -> KeyPath:
        start, array = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        path = _through_last_elements(self.key(), counts)
        self.at = self.text.index("]", self.at) + (2 if array else 1)
        if array:
            counts[path] = counts.get(path, -1) + 1
            path = (*path, counts[path])
        self.mark(path, start)
        return path

    def pair(self, table: KeyPath) -> None:
        start = self.at
        path = (*table, *self.key())
        self.mark(path, start)
        self.at = self.text.index("=", self.at) + 1
        self.value(path)

    def key(self) -> KeyPath:
        """A key, dotted or not; leaves ``at`` after its last part."""
        parts: list[str] = []
        while True:
            self.skip_blank()
            quoted = _QUOTED.match(self.text, self.at)
            match = quoted or _BARE_KEY.match(self.text, self.at)
            assert match is not None
            parts.append(tomllib.loads(f"k = {match[0]}")["k"] if quoted else match[0])
            self.at = match.end()
            self.skip_blank()
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def value(self, path: KeyPath) -> None:
        self.skip_blank()
        opening = self.text[self.at]
        if opening == "[":
            self.elements(path)
        elif opening == "{":
            self.inline_table(path)
        else:
            match = _QUOTED.match(self.text, self.at) or _PLAIN_VALUE.match(self.text, self.at)
            assert match is not None
            self.at = match.end()

    def elements(self, path: KeyPath) -> None:
        index = 0
        while self.next_item("]"):
            self.mark((*path, index), self.at)
            self.value((*path, index))
            index += 1

    def inline_table(self, path: KeyPath) -> None:
        while self.next_item("}"):
            self.pair(path)

    def next_item(self, closing: str) -> bool:
        """Step over the opening bracket or a comma; False after the closing bracket."""
        self.skip_blank()
        if self.text[self.at] in "[{,":
            self.at += 1
            self.skip_blank()
        if self.text[self.at] != closing:
            return True
        self.at += 1
        return False

    def mark(self, path: KeyPath, start: int) -> None:
        """Record the line of a key, and of the tables that its path creates, at their first use."""
        line = self.text.count("\n", 0, start) + 1
        self.lines[path] = line
        for length in range(1, len(path)):
            self.lines.setdefault(path[:length], line)

    def skip_blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()


def _through_last_elements(path: KeyPath, counts: dict[KeyPath, int]) -> KeyPath:
    """``path`` with the index of the current element after each array of tables on its way."""
    full: KeyPath = ()
    for part in path[:-1]:
        full = (*full, part)
        if full in counts:
            full = (*full, counts[full])
    return (*full, path[-1])
