"""The interface of a trained model, for all frameworks.

One adapter a framework implements `Source`; the rest of this room is independent of frameworks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Dtype, Task
from serinus.modelpack.sample import Sample
from serinus.modelpack.tables import Texts

Category = str | int | float | bool
Label = str | int | float | bool

#: A missing value in a string tensor: ONNX strings have no null. A private-use character, so that no request holds
#: it by accident.
MISSING_STRING = "\ue000"


@dataclass(frozen=True, slots=True)
class Graph:
    """One ONNX form of the model: serialized ``model`` with inputs `numbers` (float64 [rows, n]) and `strings`
    ([rows, n]), as far as the sample has such columns, one input a nested feature, and the output names of
    `Source.predict`.

    ``precision`` is that of the model's arithmetic after the preprocessing.
    """

    model: bytes
    precision: str


class Source(Protocol):
    """A trained model."""

    @property
    def framework(self) -> str:
        """Name and version: "scikit-learn 1.9.1"."""

    @property
    def estimator(self) -> str:
        """Its class, and its steps': "Pipeline(StandardScaler, RandomForestClassifier)"."""

    @property
    def task(self) -> Task:
        """The kind of prediction."""

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """Names it was trained with; None when it was trained on a bare array."""

    @property
    def feature_count(self) -> int | None:
        """Number of columns that it was trained on, where known."""

    @property
    def classes(self) -> tuple[Label, ...] | None:
        """Labels in the order of the probabilities; None where it is not a classifier."""

    @property
    def nested(self) -> dict[str, Dtype]:
        """Features that are tensors of their own, nested lists in a request, with their dtypes."""

    @property
    def known_words(self) -> tuple[str, ...]:
        """A few words, or other parts of text, of its vocabulary; empty where it reads no text."""

    def predict(self, frame: pd.DataFrame) -> Outputs:
        """Outputs by name, [rows] or [rows, ...]: `label` and `probabilities`, or `value`; all other names are
        plain tensors."""

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        """Values seen in training, by feature, for the features that an encoder knows by value."""

    def texts(self, names: tuple[str, ...]) -> Texts:
        """The features that the model reads as text, whatever the cells of a CSV file look like."""

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        """Its ONNX forms, the preferred first; raises `ConversionError` when there is none."""
