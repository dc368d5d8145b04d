"""Looks of one other tool at simulated traffic; run by the Python of its own environment, which has no Serinus.

    python peer_looks.py TOOL ROWS_A_LOOK BASELINE_ROWS SECONDS

For four fifths of the time nothing drifts: hours are looked at, 720 with one baseline, then with the next. For the
rest one number moves by 0.25 standard deviations. Prints one JSON object.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
warnings.simplefilter("ignore")

# Beside this file, for a Python that knows nothing of it.
from watching.columns import CATEGORICAL, CATEGORIES, COLUMNS, KINDS, NUMBERS  # noqa: E402

MONTH = 720
DRIFTED, SHIFT = 0, 0.25
NAMES = np.array(list("abcde"))

#: Numbers [numbers, rows] and categories [categories, rows].
Table = tuple[np.ndarray, np.ndarray]
#: Returns the columns in which a tool sees drift, [looks, columns], of looks with so many rows each.
Look = Callable[[Table], np.ndarray]
#: Looks that are handed over at once: NannyML divides a table into chunks itself.
AT_ONCE = {"nannyml": 24}


def draw(rng: np.random.Generator, rows: int, shift: float = 0.0) -> Table:
    normal = rng.standard_normal((NUMBERS, rows))
    normal[DRIFTED] += shift
    numbers = np.array([kind.values(row) for kind, row in zip(KINDS, normal, strict=True)])
    return numbers, rng.choice(len(CATEGORIES), (CATEGORICAL, rows), p=CATEGORIES)


def frame(table: Table):
    import pandas as pd

    columns = [*table[0], *NAMES[table[1]]]
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def evidently(reference: Table, _rows: int) -> Look:
    from evidently import Report
    from evidently.presets import DataDriftPreset

    known = frame(reference)

    def look(table: Table) -> np.ndarray:
        tests = Report([DataDriftPreset()], include_tests=True).run(frame(table), known).dict()["tests"]
        by_column = {
            test["metric_config"]["params"]["column"]: test["status"] == "FAIL"
            for test in tests
            if "column" in test["metric_config"]["params"]
        }
        return np.array([[bool(by_column[column]) for column in COLUMNS]])

    return look


def nannyml(reference: Table, rows: int) -> Look:
    from nannyml import UnivariateDriftCalculator

    calculator = UnivariateDriftCalculator(column_names=list(COLUMNS), chunk_size=rows)
    calculator.fit(frame(reference))

    def look(table: Table) -> np.ndarray:
        result = calculator.calculate(frame(table)).filter(period="analysis").to_df()
        alerts = [result[(column, "jensen_shannon", "alert")].to_numpy(bool) for column in COLUMNS]
        return np.stack(alerts, axis=1)

    return look


def alibi_detect(reference: Table, _rows: int) -> Look:
    from alibi_detect.cd import TabularDrift

    def together(table: Table) -> np.ndarray:
        return np.concatenate(table).T

    categories = {NUMBERS + place: None for place in range(CATEGORICAL)}
    detector = TabularDrift(together(reference), p_val=0.05, categories_per_feature=categories)

    def look(table: Table) -> np.ndarray:
        data = detector.predict(together(table))["data"]
        return np.asarray(data["p_val"] < data["threshold"])[None]

    return look


def largest_distance(reference: Table, _rows: int) -> Look:
    """SageMaker Model Monitor's: the largest distance of distribution functions, or of shares, above 0.1."""
    known = np.sort(reference[0], axis=1)

    def look(table: Table) -> np.ndarray:
        numbers = [_distance(one, np.sort(other)) for one, other in zip(known, table[0], strict=True)]
        categories = [np.abs(_shares(a) - _shares(b)).max() for a, b in zip(reference[1], table[1], strict=True)]
        return np.array([[*numbers, *categories]]) > 0.1

    return look


def stability_index(reference: Table, _rows: int) -> Look:
    """The population stability index over deciles above 0.2, with shares of at least 0.0001."""
    edges = [np.unique(np.quantile(values, np.arange(1, 10) / 10)) for values in reference[0]]

    def shares(table: Table) -> list[np.ndarray]:
        numbers = [
            np.bincount(np.searchsorted(edge, values, "left"), minlength=len(edge) + 1) / len(values)
            for edge, values in zip(edges, table[0], strict=True)
        ]
        return [np.maximum(share, 1e-4) for share in [*numbers, *map(_shares, table[1])]]

    known = shares(reference)

    def look(table: Table) -> np.ndarray:
        index = [((b - a) * np.log(b / a)).sum() for a, b in zip(known, shares(table), strict=True)]
        return np.array([index]) > 0.2

    return look


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    both = np.concatenate([one, other])
    shares = [np.searchsorted(values, both, "right") / len(values) for values in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def _shares(codes: np.ndarray) -> np.ndarray:
    return np.bincount(codes, minlength=len(CATEGORIES)) / len(codes)


TOOLS: dict[str, Callable[[Table, int], Look]] = {
    "evidently": evidently,
    "nannyml": nannyml,
    "alibi-detect": alibi_detect,
    "largest-distance": largest_distance,
    "stability-index": stability_index,
}


def main(tool: str, rows: int, baseline_rows: int, seconds: float) -> None:
    """Look for so many seconds, and print what was seen."""
    rng, at_once = np.random.default_rng(20261130), AT_ONCE.get(tool, 1)
    look = TOOLS[tool](draw(rng, baseline_rows), rows)
    look(draw(rng, rows * at_once))  # what a first look imports takes no time of the others
    end_of_quiet, end = time.monotonic() + 0.8 * seconds, time.monotonic() + seconds
    alarmed: list[bool] = []
    found: list[bool] = []
    columns = 0
    while not alarmed or time.monotonic() < end_of_quiet:
        if alarmed and len(alarmed) % MONTH == 0:
            look = TOOLS[tool](draw(rng, baseline_rows), rows)
        flags = look(draw(rng, rows * at_once))
        alarmed += flags.any(axis=1).tolist()
        columns += int(flags.sum())
    while not found or time.monotonic() < end:
        found += look(draw(rng, rows * at_once, SHIFT))[:, DRIFTED].tolist()
    seen = {
        "version": version(tool) if tool in ("evidently", "nannyml", "alibi-detect") else None,
        "looks": len(alarmed),
        "months": len(alarmed) / MONTH,
        "alarmed": sum(alarmed),
        "columns": columns / len(alarmed),
        "found": sum(found) / len(found),
        "found_of": len(found),
    }
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
