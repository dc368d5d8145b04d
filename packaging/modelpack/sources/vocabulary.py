"""Reads words that a text model knows, to probe it with them in capitals and beside other letters."""

from typing import Any

from serinus.modelpack.convert.sklearn import fitted_parts

#: Of words with letters beyond ASCII, and of others.
_MOST = 4


def read_words(model: Any) -> tuple[str, ...]:
    """A few entries of the vocabularies in ``model``, evenly over the alphabet, those beyond ASCII first."""
    known = sorted(
        {word for part in fitted_parts(model) for word in getattr(part, "vocabulary_", ()) if word.strip()}
    )
    beyond, plain = ([word for word in known if word.isascii() is ascii] for ascii in (False, True))
    return (*_spread(beyond), *_spread(plain))


def _spread(words: list[str]) -> list[str]:
    return words[:: max(1, -(-len(words) // _MOST))]
