"""Text vectorizers: the endpoint splits texts into terms, and the graph counts, hashes and weighs them."""

from typing import Any

import numpy as np

from serinus.lambda_handlers.contract.signature import TERM_SEPARATOR, TextAnalysis
from serinus.modelpack.convert.steps.columns import Columns, Matrix, columns_of
from serinus.modelpack.convert.steps.encoders import divided_by_norm
from serinus.modelpack.convert.steps.translation import Translation

#: A row of `HashingVectorizer` is dense in the graph: 512 kB.
MOST_HASHED = 2**16


def count(translation: Translation, vectorizer: Any, columns: Columns) -> Matrix:
    """CountVectorizer: how often each term of the vocabulary is in the text."""
    nodes = translation.nodes
    if not hasattr(vectorizer, "vocabulary_"):
        vectorizer._validate_vocabulary()
    terms = [str(term) for term, _ in sorted(vectorizer.vocabulary_.items(), key=lambda item: item[1])]
    if any(not term or TERM_SEPARATOR in term for term in terms):
        raise translation.error(vectorizer, "its vocabulary has an empty term; change token_pattern")
    split, _ = _split(translation, vectorizer, columns)
    counts = nodes.add(
        "TfIdfVectorizer",
        [split],
        mode="TF",
        min_gram_length=1,
        max_gram_length=1,
        max_skip_count=0,
        ngram_counts=[0],
        ngram_indexes=list(range(len(terms))),
        pool_strings=terms,
    )
    if vectorizer.binary:
        counts = nodes.add("Greater", [counts, nodes.constant(np.zeros(1, dtype=np.float32))])
    return Matrix(translation.doubles(counts), len(terms))


def count_and_weigh(translation: Translation, vectorizer: Any, columns: Columns) -> Matrix:
    """TfidfVectorizer: counts, weighed by `TfidfTransformer`."""
    counts = count(translation, vectorizer, columns)
    return weigh(translation, vectorizer._tfidf, columns_of(counts, columns.rows))


def weigh(translation: Translation, transformer: Any, columns: Columns) -> Matrix:
    """TfidfTransformer: counts, or 1 + log of those above zero, times inverse document frequencies, normalized."""
    nodes, value = translation.nodes, translation.numbers(columns)
    if transformer.sublinear_tf:
        zero, one = translation.row([0.0]), translation.row([1.0])
        is_zero = nodes.add("Equal", [value, zero])
        log = nodes.add("Log", [nodes.add("Where", [is_zero, one, value])])
        value = nodes.add("Where", [is_zero, zero, nodes.add("Add", [log, one])])
    if transformer.use_idf:
        value = nodes.add("Mul", [value, translation.row(transformer.idf_)])
    if transformer.norm is not None:
        value = divided_by_norm(translation, value, transformer.norm)
    return Matrix(value, len(columns))


def hashed(translation: Translation, vectorizer: Any, columns: Columns) -> Matrix:
    """HashingVectorizer: each term adds 1 to the column of its hash, or subtracts it."""
    nodes, width = translation.nodes, int(vectorizer.n_features)
    if width > MOST_HASHED:
        raise translation.error(
            vectorizer,
            f"n_features={width} is {width * 8 // 2**20 or 1} MB a row in the graph; train with "
            f"n_features={MOST_HASHED} or fewer, or with CountVectorizer",
        )
    split, counts = _split(translation, vectorizer, columns)
    hashes = nodes.add("MurmurHash3", [split], domain="com.microsoft", since=1, seed=0, positive=0)
    wide = nodes.cast(hashes, np.int64)
    place = nodes.add("Mod", [nodes.add("Abs", [wide]), nodes.constant(np.array(width))])
    is_term = _is_term(translation, split, counts)
    zero, one = nodes.constant(np.array(0.0)), nodes.constant(np.array(1.0))
    step = one
    if vectorizer.alternate_sign:
        is_negative = nodes.add("Less", [wide, nodes.constant(np.array(0))])
        step = nodes.add("Where", [is_negative, nodes.constant(np.array(-1.0)), one])
    step = nodes.add("Where", [is_term, step, zero])
    rows = nodes.add("Shape", [counts])
    blank = nodes.add(
        "Expand",
        [zero, nodes.add("Concat", [rows, nodes.constant(np.array([width]))], axis=0)],
    )
    value = nodes.add("ScatterElements", [blank, place, step], axis=1, reduction="add", since=18)
    if vectorizer.binary:
        # A place that terms of both signs cancel counts too.
        ones = nodes.add("Where", [is_term, one, zero])
        reached = nodes.add("ScatterElements", [blank, place, ones], axis=1, reduction="add", since=18)
        value = translation.doubles(nodes.add("Greater", [reached, zero]))
    if vectorizer.norm is not None:
        value = divided_by_norm(translation, value, vectorizer.norm)
    return Matrix(value, width)


def _is_term(translation: Translation, split: str, counts: str) -> str:
    """[rows, most terms]: shorter rows end in places without a term."""
    nodes = translation.nodes
    most = nodes.add("Gather", [nodes.add("Shape", [split]), nodes.constant(np.array(1))], axis=0)
    start, step = nodes.constant(np.array(0)), nodes.constant(np.array(1))
    return nodes.add("Less", [nodes.add("Range", [start, most, step]), translation.column(counts)])


def _split(translation: Translation, vectorizer: Any, columns: Columns) -> tuple[str, str]:
    """The terms of each text, [rows, most terms], and how many they are, [rows]."""
    tensor, index = columns.places[0]
    if tensor.name != "strings":
        raise translation.error(vectorizer, "a step before it changes the text, which the endpoint splits first")
    terms = translation.terms.name(index, _analysis(translation, vectorizer))
    flat = translation.flat(terms)

    def write() -> tuple[str, str]:
        return translation.nodes.add_both("StringSplit", [flat], since=20, delimiter=TERM_SEPARATOR)

    split: tuple[str, str] = translation.once(("split", terms), write)
    return split


def _analysis(translation: Translation, vectorizer: Any) -> TextAnalysis:
    """How the vectorizer makes terms of a text; raises `ConversionError` for functions, which no bundle holds."""
    for name in ("analyzer", "tokenizer", "preprocessor", "strip_accents"):
        if callable(getattr(vectorizer, name)):
            raise translation.error(
                vectorizer,
                f"{name} is a function, and a bundle holds no code; use token_pattern, ngram_range, lowercase and "
                "strip_accents",
            )
    if vectorizer.input != "content":
        raise translation.error(vectorizer, f"input={vectorizer.input!r} reads files; train it on texts")
    is_word = vectorizer.analyzer == "word"
    stop_words = vectorizer.get_stop_words() if is_word else None
    return TextAnalysis(
        vectorizer.analyzer,
        bool(vectorizer.lowercase),
        vectorizer.strip_accents,
        vectorizer.token_pattern if is_word else "",
        tuple(sorted(stop_words or ())),
        tuple(vectorizer.ngram_range),
    )
