"""Reads a user's acceptance test: rows with required answers, and rules on features.

Rows are a table, ``acceptance.csv`` beside serinus.toml or --acceptance FILE: a column a feature, and `expected`
(the label or number), `min` and `max` (of the number, or of the probability of the label in `of`) and `note`.
Rules are settings, [endpoint.NAME.acceptance]: features in which predictions are monotone, and that do not matter.
"""

import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.acceptance import (
    Acceptance,
    Kind,
    Requirement,
    find_violations,
    plain,
    same_label,
)
from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.errors import AcceptanceError, RequestError, first_line
from serinus.modelpack.robustness.serving_check import as_requested
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import Source

FILE, SETTINGS = "acceptance.csv", "serinus.toml"
_REQUIREMENTS = ("expected", "min", "max", "of", "note")
#: Rows of the sample, and values of the feature, that rules are tried on: at packaging, and in the bundle.
THOROUGH, SHIPPED = (40, 9), (4, 5)
#: The bundle carries the rows, and each release sends them.
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """Features by the direction in which predictions must move with them, and those that must not matter."""

    monotone: dict[str, str]
    invariant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcceptanceTest:
    """``frame`` holds the rows that are predicted: those of the file, ``rows`` in number, then ``rules``' own."""

    frame: pd.DataFrame
    requirements: tuple[Requirement, ...]
    rows: int
    rules: tuple[str, ...]

    def require_of(self, source: Source) -> None:
        """Raise `AcceptanceError` where the model itself does not answer as required."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outputs = source.predict(self.frame)
            except Exception as error:
                raise AcceptanceError(
                    f"the model cannot predict the acceptance test's rows: {first_line(error)}. Correct the rows; "
                    "they must be like the sample's.",
                    (),
                ) from error
        self.require(outputs, "the model")

    def require(self, outputs: Outputs, whose: str) -> None:
        """Raise `AcceptanceError` where ``outputs`` for `frame`, the answers of ``whose``, are not as required."""
        violations = find_violations(self.requirements, outputs)
        if violations:
            raise AcceptanceError(
                f"{whose} fails {len(violations)} of the {len(self.requirements)} requirements of its acceptance "
                f"test. {violations[0]}. {_more(violations)}Train a model that passes, or correct the test.",
                tuple(violations),
            )

    def to_contract(self, features: tuple[Feature, ...]) -> Acceptance:
        """What a bundle holds."""
        dtypes = {feature.name: feature.dtype for feature in features}
        return Acceptance(tuple(as_requested(self.frame, dtypes)), self.requirements)

    def to_json(self) -> dict[str, Any]:
        """For the card and for comparisons."""
        rows = [f"{self.rows} row{'' if self.rows == 1 else 's'} with required answers"] if self.rows else []
        return {"requirements": len(self.requirements), "summary": "; ".join([*rows, *self.rules])}


def _more(violations: list[str]) -> str:
    return f"And {len(violations) - 1} more, such as: {violations[1]}. " if len(violations) > 1 else ""


def acceptance_file(project: Path, given: Path | None) -> Path | None:
    """The file with the rows: the one ``given``, or else that of the project, where there is one."""
    if given is not None:
        return given
    return project / FILE if (project / FILE).is_file() else None


def read_rules(project: Path, name: str) -> Rules:
    """The rules for model ``name`` in the project's settings, of every endpoint that serves it. Raises
    `RequestError` for what is no rule."""
    path = project / SETTINGS
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Rules({}, ())
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} cannot be read as TOML: {error}. Correct it, then package again.") from error
    monotone: dict[str, str] = {}
    invariant: dict[str, None] = {}
    endpoints = settings.get("endpoint", {})
    for endpoint, table in endpoints.items() if isinstance(endpoints, dict) else ():
        if not isinstance(table, dict) or table.get("model", endpoint) != name:
            continue
        rules = table.get("acceptance", {})
        where = f"{path}: [endpoint.{endpoint}.acceptance]"
        for feature, direction in _table(where, rules, "monotone").items():
            if direction not in ("increasing", "decreasing"):
                raise RequestError(
                    f'{where} monotone: {feature} is {direction!r}; it must be "increasing" or "decreasing".'
                )
            if monotone.setdefault(feature, direction) != direction:
                raise RequestError(f"{where} monotone: {feature} is {direction}, another endpoint's the opposite.")
        listed = rules.get("invariant", [])
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise RequestError(
                f'{where} invariant is {listed!r}; a list of features is required, such as ["gender"].'
            )
        invariant |= dict.fromkeys(listed)
    return Rules(monotone, tuple(invariant))


def _table(where: str, rules: Any, key: str) -> dict[str, Any]:
    if not isinstance(rules, dict):
        raise RequestError(f"{where} is {rules!r}; a table is required.")
    table = rules.get(key, {})
    if not isinstance(table, dict):
        raise RequestError(f'{where} {key} is {table!r}; a table is required, such as {{income = "increasing"}}.')
    return table


@dataclass(frozen=True, slots=True)
class AcceptanceBuilder:
    """Makes tests of a model from a ``table`` (the file's name, its columns of requirements, its features as the
    model's inputs) and ``rules``; ``outputs`` are the source's for the sample."""

    table: tuple[str, pd.DataFrame, Sample] | None
    rules: Rules
    sample: Sample
    features: tuple[Feature, ...]
    outputs: Outputs
    classes: tuple[Any, ...] | None
    tolerance: Tolerance

    def build(self, bases: int, values: int) -> AcceptanceTest | None:
        """The test, its rules tried on ``bases`` rows of the sample with ``values`` of the feature each; None
        without rows and rules. Raises `RequestError` for a requirement that the model cannot have."""
        frames: list[pd.DataFrame] = []
        requirements: list[Requirement] = []
        rows = 0
        if self.table is not None:
            name, required, fitted = self.table
            frames.append(fitted.frame)
            rows = len(required)
            requirements += [item for row in range(rows) for item in self._of_row(name, required.iloc[row], row)]
        start = rows
        for rule, kind, feature in self._rules():
            varied = self._values(feature, values)
            for base in np.unique(np.linspace(0, len(self.sample.frame) - 1, num=bases).astype(int)).tolist():
                frame = self.sample.frame.iloc[[base] * len(varied)].reset_index(drop=True)
                frame[feature.name] = pd.Series(varied, dtype=self.sample.frame[feature.name].dtype)
                frames.append(frame)
                requirements.append(
                    self._of_rule(f"{rule}, in row {base} of the sample", kind, start, len(varied))
                )
                start += len(varied)
        if not requirements:
            return None
        together = pd.concat(frames, ignore_index=True).astype(dict.fromkeys(self.sample.strings, object))
        return AcceptanceTest(together, tuple(requirements), rows, tuple(rule for rule, _, _ in self._rules()))

    def _rules(self) -> Iterator[tuple[str, Kind, Feature]]:
        named = {feature.name: feature for feature in self.features if not feature.shape}
        where = f"{SETTINGS}, [endpoint.NAME.acceptance]"
        for name in (*self.rules.monotone, *self.rules.invariant):
            if name not in named:
                raise RequestError(f"{where}: the model has no feature {name!r}; it has {', '.join(named)}.")
        for name, direction in self.rules.monotone.items():
            if named[name].dtype not in ("int64", "float64"):
                raise RequestError(f"{where} monotone: {name} holds {named[name].dtype}; a number is required.")
            kind: Kind = "increasing" if direction == "increasing" else "decreasing"
            yield f"{direction} in {name}", kind, named[name]
        for name in self.rules.invariant:
            yield f"independent of {name}", "same", named[name]

    def _values(self, feature: Feature, count: int) -> list[Any]:
        """Values of the feature in the sample, ascending and evenly spaced; of categories the commonest."""
        column = self.sample.frame[feature.name].dropna()
        if feature.dtype in ("string", "bool"):
            return list(column.value_counts().index[:count])
        distinct = np.unique(column.to_numpy())
        places = np.unique(np.linspace(0, len(distinct) - 1, num=min(count, len(distinct))).astype(int))
        return list(distinct[places].tolist())

    def _of_rule(self, name: str, kind: Kind, start: int, count: int) -> Requirement:
        rows = tuple(range(start, start + count))
        output, column = ("", None) if kind == "same" else self._number(None, name)
        return Requirement(name, kind, rows, output, column, atol=self.tolerance.atol, rtol=self.tolerance.rtol)

    def _of_row(self, file: str, required: "pd.Series[Any]", row: int) -> Iterator[Requirement]:
        given = {key: None if pd.isna(required[key]) else required[key] for key in required.index}
        note = f" ({given['note']})" if given.get("note") else ""
        name = f"{file} row {row + 1}{note}"
        expected, least, most = given.get("expected"), given.get("min"), given.get("max")
        if expected is None and least is None and most is None:
            raise RequestError(f"{name} requires nothing: fill in expected, min or max.")
        numbers: list[float | None] = []
        for key, value in (("min", least), ("max", most)):
            try:
                numbers.append(None if value is None else float(value))
            except (TypeError, ValueError):
                raise RequestError(f"{name}: {key} is {value!r}; a number is required.") from None
        if "label" in self.outputs:
            yield from self._of_label(name, row, expected)
            of = given.get("of") if given.get("of") is not None else expected
        elif expected is not None:
            try:
                value = float(expected)
            except (TypeError, ValueError):
                raise RequestError(f"{name}: expected is {expected!r}; the model predicts a number.") from None
            output, column = self._number(None, name)
            atol, rtol = self.tolerance.atol, self.tolerance.rtol
            yield Requirement(name, "range", (row,), output, column, None, value, value, atol, rtol)
            of = None
        else:
            of = None
        if numbers != [None, None]:
            output, column = self._number(of, name)
            yield Requirement(name, "range", (row,), output, column, None, numbers[0], numbers[1])

    def _of_label(self, name: str, row: int, expected: Any) -> Iterator[Requirement]:
        if expected is None:
            return
        label = self._label(expected, name)
        yield Requirement(name, "label", (row,), "label", expected=label)

    def _label(self, given: Any, name: str) -> Any:
        """The class that a table's cell names."""
        known = self.classes if self.classes is not None else tuple(np.unique(self.outputs["label"]).tolist())
        label = next((item for item in known if same_label(item, given)), None)
        if label is None and not any(same_label(item, given) for item in known):
            listed = ", ".join(str(item) for item in known[:8])
            raise RequestError(f"{name}: {plain(given)!r} is no label of the model; it has {listed}.")
        return plain(label)

    def _number(self, of: Any, name: str) -> tuple[str, int | None]:
        """Output and column of the number that is bounded: the value, the probability of the label ``of`` (of two
        labels, by default of the second), or the score."""
        if "value" in self.outputs and self.outputs["value"].ndim == 1:
            return "value", None
        classes = self.classes or ()
        if "probabilities" in self.outputs and len(classes) >= 2:
            if of is not None:
                return "probabilities", [plain(item) for item in classes].index(self._label(of, name))
            if len(classes) == 2:
                return "probabilities", 1
            raise RequestError(
                f"{name}: the model has {len(classes)} labels. Name the one whose probability is meant in the "
                "column `of` of the acceptance file; rules on direction need a model with two."
            )
        if "scores" in self.outputs and self.outputs["scores"].ndim == 1:
            return "scores", None
        raise RequestError(f"{name}: the model returns no probability, score or single number to bound.")


def split_table(path: Path, table: pd.DataFrame, names: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The columns of features, and those of requirements, of the table in file ``path``; ``names`` are the model's
    features. Raises `RequestError` where it holds too many rows or no requirement."""
    required = [name for name in _REQUIREMENTS if name in table.columns and name not in names]
    if not {"expected", "min", "max"} & set(required):
        raise RequestError(f"{path} has no column expected, min or max, which say what is required of each row.")
    if len(table) > MOST_ROWS:
        raise RequestError(f"{path} has {len(table)} rows; at most {MOST_ROWS} are checked before each release.")
    return table.drop(columns=required), table[required].reset_index(drop=True)
