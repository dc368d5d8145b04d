"""What packaging needs of a trained model, whatever framework it comes from.

One adapter a framework implements `Source`; everything else in this room knows no framework.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Dtype, Task
from serinus.modelpack.sample import Sample

Category = str | int | float | bool
Label = str | int | float | bool

#: What a string tensor holds where a value is missing: ONNX strings know no null. A private-use character, so that
#: no string of a request means it by accident.
MISSING_STRING = "\ue000"


@dataclass(frozen=True, slots=True)
class Graph:
    """One way of writing the model as ONNX: serialized ``model`` with inputs `numbers` (float64 [rows, n]) and
    `strings` ([rows, n]), as far as the sample has such columns, one input a nested feature, and outputs named as
    `Source.predict` does.

    ``precision`` is that of the model's arithmetic behind the preprocessing.
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
        """What it is, in the framework's words: "Pipeline(StandardScaler, RandomForestClassifier)"."""

    @property
    def task(self) -> Task:
        """What it predicts."""

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """Names it was trained with; None when it was trained on a bare array."""

    @property
    def feature_count(self) -> int | None:
        """Number of columns it takes, where it knows."""

    @property
    def classes(self) -> tuple[Label, ...] | None:
        """Labels in the order of the probabilities; None where it is no classifier."""

    @property
    def nested(self) -> dict[str, Dtype]:
        """Features that are tensors of their own, nested lists in a request, with their dtypes."""

    @property
    def known_words(self) -> tuple[str, ...]:
        """A few words, or other parts of text, that it tells apart; empty where it reads no text."""

    def predict(self, frame: pd.DataFrame) -> Outputs:
        """Outputs by name, [rows] or [rows, ...]: `label` and `probabilities`, or `value`; all other
        names are tensors given as they are."""

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        """Values seen in training, by feature, for the features that an encoder or the like knows by value."""

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        """Ways of writing it as ONNX, the preferred first; raises `ConversionError` when there is none."""
