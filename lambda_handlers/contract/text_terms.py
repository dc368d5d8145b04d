"""Text into terms, as scikit-learn's text vectorizers make them: words or runs of characters.

No ONNX operator lower-cases, strips accents or matches Python's regular expressions as Python does. So the graph
gets each text's terms, joined by a character that no text has, and splits and counts them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from serinus.lambda_handlers.contract.signature import TERM_SEPARATOR, TextAnalysis

#: In place of the separator in a text: like it one of Unicode's noncharacters, which texts do not exchange.
_OTHER = "\ufdd1"
_SPACES = re.compile(r"\s\s+")


def compile_analysis(analysis: TextAnalysis) -> Callable[[str], str]:
    """A function from a text to its terms, joined by `TERM_SEPARATOR`."""
    prepare, terms = _compile_preparation(analysis), _compile_terms(analysis)

    def analyse(text: str) -> str:
        if TERM_SEPARATOR in text:
            text = text.replace(TERM_SEPARATOR, _OTHER)
        return TERM_SEPARATOR.join(terms(prepare(text)))

    return analyse


def _compile_preparation(analysis: TextAnalysis) -> Callable[[str], str]:
    """Lower case, then accents: the order of scikit-learn's ``_preprocess``."""
    if analysis.strip_accents is None:
        return str.lower if analysis.lowercase else str
    strip = _as_ascii if analysis.strip_accents == "ascii" else _without_accents
    return (lambda text: strip(text.lower())) if analysis.lowercase else strip


def _as_ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return "".join([letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)])


def _compile_terms(analysis: TextAnalysis) -> Callable[[str], list[str]]:
    least, most = analysis.ngrams
    if analysis.unit == "char":
        return lambda text: list(_runs(_SPACES.sub(" ", text), least, most))
    if analysis.unit == "char_wb":
        return lambda text: [term for word in text.split() for term in _runs_of_word(f" {word} ", least, most)]
    find = re.compile(analysis.pattern).findall
    stop_words = frozenset(analysis.stop_words)

    def words(text: str) -> list[str]:
        found: list[str] = find(text)
        return [word for word in found if word not in stop_words] if stop_words else found

    if (least, most) == (1, 1):
        return words
    return lambda text: list(_phrases(words(text), least, most))


def _runs(text: str, least: int, most: int) -> Iterator[str]:
    for size in range(least, min(most, len(text)) + 1):
        for start in range(len(text) - size + 1):
            yield text[start : start + size]


def _runs_of_word(word: str, least: int, most: int) -> Iterator[str]:
    """A word shorter than a size is one term, and the last."""
    for size in range(least, most + 1):
        if len(word) <= size:
            yield word
            return
        yield from _runs(word, size, size)


def _phrases(words: list[str], least: int, most: int) -> Iterator[str]:
    for size in range(least, min(most, len(words)) + 1):
        for start in range(len(words) - size + 1):
            yield " ".join(words[start : start + size])
