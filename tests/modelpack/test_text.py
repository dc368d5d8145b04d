"""Text models, asked as the endpoint is asked, for what samples of text rarely hold: capitals beyond ASCII, words
beside other letters, rows that are a stop word."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.protocols.infer_request import InferInput, InferRequest
from serinus.lambda_handlers.inference.protocols.infer_rows import read_rows
from serinus.lambda_handlers.inference.protocols.model_metadata import describe_model
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import ConversionError, ParityError
from serinus.modelpack.request import PackageResult
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
    signature = read_manifest(packed.bundle).signature
    assert [(tensor.name, tensor.lowercase) for tensor in signature.tensors] == [("strings", kind != "case kept")]


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
    signature = read_manifest(packed.bundle).signature
    assert [(tensor.name, tensor.lowercase) for tensor in signature.tensors] == [
        ("strings", False),
        ("lowered", True),
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
    assert read_manifest(packed.bundle).signature.tensors[0].lowercase
    rows = pd.DataFrame({"text": CAPITALS})
    np.testing.assert_allclose(_probabilities(packed, rows), model.predict_proba(rows["text"]), atol=0.05)


def test_the_graph_asks_no_locale_of_the_machine(texts: pd.DataFrame, pack: Package) -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["text"], _liked(texts))
    graph = onnx.load(pack(model, texts[["text"]]).bundle / "model.onnx").graph
    assert "StringNormalizer" not in {node.op_type for node in graph.node}


def test_a_graph_that_lowers_otherwise_fails_on_hard_values(
    texts: pd.DataFrame, pack: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample has no capitals: only what the gate makes of the model's own words shows it."""
    from serinus.modelpack import onnx_run

    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["text"], _liked(texts))
    ascii_alone = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}

    def by_ascii(_: object, inputs: int, outputs: int) -> Any:
        return lower(lambda text: text.translate(ascii_alone), inputs, outputs)

    lower = np.frompyfunc
    monkeypatch.setattr(onnx_run.np, "frompyfunc", by_ascii)
    with pytest.raises(ParityError, match="capital letters"):
        pack(model, texts[["text"]])


def test_a_pattern_that_takes_words_out_of_others_fails_on_hard_values(texts: pd.DataFrame, pack: Package) -> None:
    r"""RE2's \b is between letters, too, where one is beyond ASCII."""
    plain = texts[["text"]].replace("[^a-z ]+", "good", regex=True)
    model = make_pipeline(TfidfVectorizer(token_pattern=r"\b[a-z]{3,}\b"), LogisticRegression())
    model.fit(plain["text"], plain["text"].str.contains("bad"))
    with pytest.raises(ParityError, match="non-ASCII string"):
        pack(model, plain)


def test_stop_words_between_pairs_of_words_are_refused_by_name(texts: pd.DataFrame, pack: Package) -> None:
    vectorizer = TfidfVectorizer(stop_words=["the"], ngram_range=(1, 2))
    model = make_pipeline(vectorizer, LogisticRegression()).fit(texts["text"], _liked(texts))
    with pytest.raises(ConversionError, match=r"TfidfVectorizer .*stop_words with ngram_range=\(1, 2\)"):
        pack(model, texts[~texts["text"].str.contains("the")][["text"]])


def test_a_model_tells_words_beyond_ascii_first(texts: pd.DataFrame) -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["text"], _liked(texts))
    known = SklearnSource(model).known_words
    assert not any(word.isascii() for word in known[:3])
    assert any(word.isascii() for word in known)
    assert set(known) <= set(model[0].vocabulary_)
