"""Tries estimators in processes of their own, as a library's crash must end one alone."""

import json
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from table import Row

from catalogue import boosters, estimators
from catalogue.outcomes import MOST_SECONDS, try_case

LIBRARIES = ("XGBoost", "LightGBM", "CatBoost")
#: Of each kind, in percent, shall be packaged.
REQUIRED = {"classifier": 90, "regressor": 90, "transformer": 85}
_NOT_FITTED = "not fitted by scikit-learn"
#: Names for each process, as importing the libraries takes longer than packaging most models.
_NAMES_EACH = 40


def measure_all(script: str) -> Iterator[Row]:
    """Totals beside the required shares, then a row a model. ``script`` with ``--inside KIND NAME...`` calls
    `print_outcomes`."""
    lists = {kind: estimators.names(kind) for kind in estimators.KINDS} | {name: [name] for name in LIBRARIES}
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda kind: list(outcomes_of(script, kind, lists[kind])), lists)
        rows = dict(zip(lists, results, strict=True))
    for kind, found in rows.items():
        yield {"section": "every estimator: totals", **totals(kind, found)}
    for kind, found in rows.items():
        yield from ({"section": f"every estimator: {kind}", **row} for row in found)


def print_outcomes(kind: str, names: Sequence[str]) -> None:
    """A line of JSON for each model, and one for each finished name."""
    warnings.simplefilter("ignore")
    for name in names:
        for case in boosters.cases(name) if kind in LIBRARIES else estimators.cases(kind, name):
            outcome, detail = try_case(case)
            _print({"name": case.name, "outcome": outcome, "detail": detail})
        _print({"finished": name})


def _print(row: Row) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def outcomes_of(script: str, kind: str, names: Sequence[str]) -> Iterator[Row]:
    """The rows of ``names``; a name whose process crashes, or prints nothing for too long, has the outcome
    ``crash``."""
    waiting = list(names)
    while waiting:
        sys.stderr.write(f"{kind}: {len(waiting)} left\n")
        command = [sys.executable, script, "--inside", kind, *waiting[:_NAMES_EACH]]
        end = len(waiting) - min(len(waiting), _NAMES_EACH)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            clock = _start_clock(process)
            for line in process.stdout:
                clock.cancel()
                clock = _start_clock(process)
                row = json.loads(line)
                if "finished" in row:
                    waiting.remove(row["finished"])
                else:
                    yield row
            clock.cancel()
        if len(waiting) > end:
            reason = f"its process ended with {process.returncode}"
            yield {"name": waiting.pop(0), "outcome": "crash", "detail": reason}


def _start_clock(process: subprocess.Popen[str]) -> threading.Timer:
    clock = threading.Timer(2 * MOST_SECONDS, process.kill)
    clock.daemon = True
    clock.start()
    return clock


def totals(kind: str, rows: Sequence[Row]) -> Row:
    """Counts by outcome, and the share of what scikit-learn fits that is packaged beside the required one."""
    outcomes = Counter(row["outcome"] for row in rows)
    fitted = sum(outcomes.values()) - outcomes[_NOT_FITTED]
    share = 100 * outcomes["packaged"] / max(1, fitted)
    required = REQUIRED.get(kind)
    return {
        "kind": kind,
        "models": fitted,
        "packaged": outcomes["packaged"],
        "refused": outcomes["refused"],
        "wrong": outcomes["wrong"],
        "other": fitted - outcomes["packaged"] - outcomes["refused"] - outcomes["wrong"],
        "packaged %": round(share, 1),
        "required %": required,
        "aim": None if required is None else "met" if share >= required else "MISSED",
        _NOT_FITTED: outcomes[_NOT_FITTED],
    }
