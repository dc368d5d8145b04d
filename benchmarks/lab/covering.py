"""Few combinations of many settings, such that every pair of values meets in one of them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

Combination = dict[str, str]
_Pair = frozenset[tuple[str, str]]


def pairwise(parameters: Mapping[str, Sequence[str]]) -> list[Combination]:
    """Combinations of one value for each of ``parameters`` in which every pair of values of two parameters occurs.

    Greedy: each one starts with a pair that has not occurred yet and takes the values that add most pairs.
    """
    missing = dict.fromkeys(_all_pairs(parameters))
    rows = []
    while missing:
        row: Combination = dict(next(iter(missing)))
        for name, values in parameters.items():
            if name not in row:
                row[name] = max(values, key=lambda value: sum(pair in missing for pair in _with(row, name, value)))
        for pair in map(frozenset, itertools.combinations(row.items(), 2)):
            missing.pop(pair, None)
        rows.append({name: row[name] for name in parameters})
    return rows


def _all_pairs(parameters: Mapping[str, Sequence[str]]) -> Iterator[_Pair]:
    for (first, firsts), (second, seconds) in itertools.combinations(parameters.items(), 2):
        for one, other in itertools.product(firsts, seconds):
            yield frozenset(((first, one), (second, other)))


def _with(row: Combination, name: str, value: str) -> Iterator[_Pair]:
    return (frozenset((item, (name, value))) for item in row.items())
