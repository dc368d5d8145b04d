"""Text models, asked as the endpoint is asked, for what samples of text rarely hold: capitals beyond ASCII, words
beside other letters, rows that are a stop word."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.contract.signature import TERM_SEPARATOR, TextAnalysis
from serinus.lambda_handlers.contract.text_terms import compile_analysis
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.protocols.infer_request import InferInput, InferRequest
from serinus.lambda_handlers.inference.protocols.infer_rows import read_rows
from serinus.lambda_handlers.inference.protocols.model_metadata import describe_model
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.convert.steps import texts as steps_texts
from serinus.modelpack.errors import ConversionError, ParityError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.request import PackageResult
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource

Package = Callable[..., PackageResult]

WORDS = ["über", "отель", "straße", "i̇zmir", "οδος", "ǆungla", "good", "bad", "the"]
#: What Python lowers to words of the vocabulary, and ASCII's rules do not.
CAPITALS = ["ÜBER good", "ОТЕЛЬ", "Отель bad", "STRAßE the", "İZMİR", "ΟΔΟΣ good", "ǅungla", "ǄUNGLA", "GOOD BAD"]
#: Words within longer ones, which are no words of the vocabulary.
WITHIN = ["öbad goodö", "badш", "the-bad", "good²", "bad́", "", "the"]


@pytest.fixture(scope="module")
def texts() -> pd.DataFrame:
    random = np.random.default_rng(3)
    text = [" ".join(random.choice(WORDS, 3)) for _ in range(200)]
    return pd.DataFrame({"text": text, "city": random.choice(["Rome", "ROME", "Оsло"], 200)})


def _liked(texts: pd.DataFrame) -> Any:
    return texts["text"].str.contains("über|отель|οδος|i̇zmir").to_numpy()


def _probabilities(packed: PackageResult, rows: pd.DataFrame) -> np.ndarray:
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    body = json.dumps({"rows": rows.to_dict("records")}).encode()
    answer = scorer.predict(body, None)
    assert answer.status == 200, answer.body
    return np.array(json.loads(answer.body)["probabilities"])


VECTORIZERS: dict[str, Callable[[], Any]] = {
    "tfidf": TfidfVectorizer,
    "counts": CountVectorizer,
    "case kept": lambda: TfidfVectorizer(lowercase=False),
    "stop words": lambda: TfidfVectorizer(stop_words=["the", "good"]),
    "one letter and more": lambda: TfidfVectorizer(token_pattern=r"(?u)\b\w+\b"),
    "pairs of words": lambda: CountVectorizer(ngram_range=(1, 2)),
    "characters": lambda: CountVectorizer(analyzer="char"),
}


@pytest.mark.parametrize("kind", VECTORIZERS)
def test_text_is_lowered_as_python_lowers_it(kind: str, texts: pd.DataFrame, pack: Package) -> None:
    model = make_pipeline(VECTORIZERS[kind](), LogisticRegression()).fit(texts["text"], _liked(texts))
    packed = pack(model, texts[["text"]])
    rows = pd.DataFrame({"text": CAPITALS + WITHIN})
    # Float16 storage changes the third digit; a word that is not known changes the first.
    np.testing.assert_allclose(_probabilities(packed, rows), model.predict_proba(rows["text"]), atol=2e-3)
    strings, terms = read_manifest(packed.bundle).signature.tensors
    assert (strings.name, strings.analysis, terms.name, terms.features) == ("strings", None, "terms_1", ("text",))
    assert terms.analysis is not None
    assert terms.analysis.lowercase == (kind != "case kept")


def _columns() -> Any:
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = [("words", TfidfVectorizer(), "text"), ("city", encoder, ["city"]), ("known", encoder, ["text"])]
    return make_pipeline(ColumnTransformer(columns), LogisticRegression())


def test_a_column_may_be_taken_as_it_is_and_lowered(texts: pd.DataFrame, pack: Package) -> None:
    """Cities that differ by case stay apart."""
    model = _columns().fit(texts, _liked(texts) ^ (texts["city"] == "ROME"))
    packed = pack(model, texts, precision="float32")
    rows = pd.DataFrame({"text": [*CAPITALS, *texts["text"].head(3)], "city": (["ROME", "Rome", "rome"] * 4)})
    np.testing.assert_allclose(_probabilities(packed, rows), model.predict_proba(rows), atol=1e-6)
    tensors = read_manifest(packed.bundle).signature.tensors
    assert [(tensor.name, tensor.analysis is not None) for tensor in tensors] == [
        ("strings", False),
        ("terms_1", True),
    ]


def test_tensors_of_a_request_name_each_column_once(texts: pd.DataFrame, pack: Package) -> None:
    packed = pack(_columns().fit(texts, _liked(texts)), texts)
    manifest = read_manifest(packed.bundle)
    assert [item["name"] for item in describe_model(manifest)["inputs"]] == ["strings"]
    tensor = InferInput(name="strings", shape=[1, 2], datatype="BYTES", data=["ÜBER good", "Rome"])
    rows = read_rows(InferRequest(inputs=[tensor]), {}, manifest.signature, 10)
    assert rows == [("ÜBER good", "Rome")]
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    (by_tensor,) = [scorer.score(scorer.validate(rows))[1]]
    expected = _probabilities(packed, pd.DataFrame({"text": ["ÜBER good"], "city": ["Rome"]}))
    np.testing.assert_array_equal(by_tensor, expected)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_other_precisions_take_lowered_text_too(precision: str, texts: pd.DataFrame, pack: Package) -> None:
    network = MLPClassifier((32,), solver="lbfgs", max_iter=2000, random_state=0)
    model = make_pipeline(TfidfVectorizer(), network).fit(texts["text"], _liked(texts))
    packed = pack(model, texts[["text"]], precision=precision, tolerance=Tolerance(0.9, 0.1, 0.1))
    assert packed.precision == precision
    rows = pd.DataFrame({"text": CAPITALS})
    np.testing.assert_allclose(_probabilities(packed, rows), model.predict_proba(rows["text"]), atol=0.05)


def test_another_analysis_fails_on_hard_values(
    texts: pd.DataFrame, pack: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample has no capitals: only what the gate makes of the model's own words shows it."""
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["text"], _liked(texts))
    analysis_of = steps_texts._analysis

    def case_kept(*arguments: Any) -> TextAnalysis:
        return analysis_of(*arguments)._replace(lowercase=False)

    monkeypatch.setattr(steps_texts, "_analysis", case_kept)
    with pytest.raises(ParityError, match="capital letters"):
        pack(model, texts[["text"]])


#: What texts rarely have, beside what `CAPITALS` and `WITHIN` do.
HARD = [
    "   ",
    "good\nbad\tthe",
    "x\0y good",
    "🧪 good",
    "a",
    "a b",
    "good  bad   the",
    "x" * 3000,
    "Don't co-op HELLO",
]
HARD += ["the good the bad", "café CAFÉ Cafe\u0301", "naïve NAÏVE naive", "東京 good"]
ANALYSES: dict[str, dict[str, Any]] = {
    "stop words between pairs": {"stop_words": ["the"], "ngram_range": (1, 2)},
    "English stop words": {"stop_words": "english"},
    "ASCII letters": {"token_pattern": r"\b[a-z]{3,}\b"},
    "a group": {"token_pattern": r"(?i)([a-z])\w*"},
    "whatever is no space": {"token_pattern": r"\S+", "ngram_range": (2, 3)},
    "ASCII": {"strip_accents": "ascii"},
    "no accents": {"strip_accents": "unicode", "lowercase": False},
    "runs of characters": {"analyzer": "char", "ngram_range": (1, 4)},
    "runs within words": {"analyzer": "char_wb", "ngram_range": (2, 5)},
    "binary": {"binary": True},
    "few": {"min_df": 3, "max_df": 0.5, "max_features": 5},
    "given": {"vocabulary": ["good", "bad", "the"]},
}


def _compare_on_hard_texts(model: Any, texts: pd.DataFrame) -> None:
    model.fit(texts["text"], _liked(texts))
    source = SklearnSource(model)
    sample = fit_to_model(texts[["text"]], names=source.feature_names, count=source.feature_count)
    graph = next(iter(source.graphs(sample)))
    rows = pd.DataFrame({"text": CAPITALS + WITHIN + HARD})
    for name, values in source.predict(rows).items():
        np.testing.assert_allclose(Runner(graph.model, sample)(rows)[name], values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("vectorizer", [CountVectorizer, TfidfVectorizer])
@pytest.mark.parametrize("analysis", ANALYSES)
def test_texts_are_analysed_as_scikit_learn_does(vectorizer: Any, analysis: str, texts: pd.DataFrame) -> None:
    _compare_on_hard_texts(make_pipeline(vectorizer(**ANALYSES[analysis]), LogisticRegression()), texts)


@pytest.mark.parametrize(
    "steps",
    [
        [TfidfVectorizer(sublinear_tf=True, norm="l1", smooth_idf=False)],
        [TfidfVectorizer(use_idf=False, norm=None)],
        [CountVectorizer(), TfidfTransformer(sublinear_tf=True)],
        [
            FeatureUnion(
                [("words", TfidfVectorizer()), ("runs", CountVectorizer(analyzer="char", ngram_range=(2, 3)))]
            )
        ],
        [HashingVectorizer(n_features=64)],
        [HashingVectorizer(n_features=64, norm=None, binary=True)],
        [
            HashingVectorizer(
                n_features=1000, alternate_sign=False, norm="l1", analyzer="char_wb", ngram_range=(2, 3)
            )
        ],
    ],
)
def test_terms_are_counted_hashed_and_weighed(steps: list[Any], texts: pd.DataFrame) -> None:
    _compare_on_hard_texts(make_pipeline(*steps, LogisticRegression()), texts)


def _words(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    ("vectorizer", "reason"),
    [
        (
            TfidfVectorizer(tokenizer=_words, token_pattern=None),
            "tokenizer is a function, and a bundle",
        ),
        (CountVectorizer(analyzer=_words), "analyzer is a function"),
        (CountVectorizer(preprocessor=str.strip), "preprocessor is a function"),
        (CountVectorizer(token_pattern=r"[a-z]*"), "its vocabulary has an empty term"),
        (HashingVectorizer(), "n_features=1048576 is 8 MB a row"),
    ],
)
def test_vectorizers_that_are_refused(vectorizer: Any, reason: str, texts: pd.DataFrame, pack: Package) -> None:
    model = make_pipeline(vectorizer, LogisticRegression()).fit(texts["text"], _liked(texts))
    with pytest.raises(ConversionError, match=reason):
        pack(model, texts[["text"]])


def test_a_separator_in_a_text_is_no_separator() -> None:
    plain = TextAnalysis("word", True, None, r"\S+", (), (1, 1))
    assert compile_analysis(plain)(f"A{TERM_SEPARATOR}b c").count(TERM_SEPARATOR) == 1


def test_models_without_text_load_no_analysis() -> None:
    code = (
        "import sys, serinus.lambda_handlers.inference.scoring, serinus.lambda_handlers.inference.session\n"
        "print('serinus.lambda_handlers.contract.text_terms' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_model_tells_words_beyond_ascii_first(texts: pd.DataFrame) -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["text"], _liked(texts))
    known = SklearnSource(model).known_words
    assert not any(word.isascii() for word in known[:3])
    assert any(word.isascii() for word in known)
    assert set(known) <= set(model[0].vocabulary_)
