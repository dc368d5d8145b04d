import textwrap
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tomlkit import dumps

from serinus.infra.settings.positions import KeyPath, find_positions

EVERY_KIND = '''\
# a comment with = and [brackets]
title = "a # no comment" # one
"quoted.key" = 1
'literal key' = 2

[owner]
born = 1979-05-27 07:32:00  # a date with a space
site.name = "dotted"
text = """
[not.a.table]
key = "not a key" \\""" still
"""
raw = \'\'\'
x = 1\'\'\'

[ servers . "alpha.one" ]
ports = [
  8000,  # first
  [8001, 8002],
  { a = 1, b = [1, 2] },
]
point = { x = 1, y = { z = "}" } }

[[fruit]]
name = "apple"
[fruit.physical]
color = "red"
[[fruit.variety]]
name = "red delicious"
[[fruit]]
name = "banana"
[[fruit.variety]]
name = "plantain"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("quoted.key",), 3),
        (("literal key",), 4),
        (("owner",), 6),
        (("owner", "born"), 7),
        (("owner", "site", "name"), 8),
        (("owner", "text"), 9),
        (("owner", "raw"), 13),
        (("servers", "alpha.one"), 16),
        (("servers", "alpha.one", "ports", 0), 18),
        (("servers", "alpha.one", "ports", 1, 1), 19),
        (("servers", "alpha.one", "ports", 2, "b", 1), 20),
        (("servers", "alpha.one", "point", "y", "z"), 22),
        (("fruit", 0, "name"), 25),
        (("fruit", 0, "physical", "color"), 27),
        (("fruit", 0, "variety", 0, "name"), 29),
        (("fruit", 1), 30),
        (("fruit", 1, "variety", 0, "name"), 33),
    ],
)
def test_every_way_of_writing_a_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    assert find_positions(EVERY_KIND)[path] == line


def test_exactly_the_keys_that_the_parser_sees_are_found() -> None:
    assert set(find_positions(EVERY_KIND)) == set(_paths(tomllib.loads(EVERY_KIND)))


def test_lines_are_counted_with_windows_line_ends() -> None:
    text = textwrap.dedent("[a]\nb = 1\n\nc = 2\n").replace("\n", "\r\n")

    assert find_positions(text)[("a", "c")] == 4


_values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _values, max_size=4))
def test_any_document_yields_the_keys_that_the_parser_sees(data: dict[str, Any]) -> None:
    text = dumps(data)

    assert set(find_positions(text)) == set(_paths(tomllib.loads(text)))


def _paths(value: Any, at: KeyPath = ()) -> list[KeyPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[KeyPath] = [at] if at else []
    for key, inner in items:
        found += _paths(inner, (*at, key))
    return found
