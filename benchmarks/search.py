"""Random pipelines, packaged: agrees on rows outside the sample, refused in one clear line, or a mistake of ours.

Each seed draws a table of 200 rows, one to three steps of scikit-learn or a boosting library with random valid
parameters, and 500 other rows, hard values among them, which the packaged model must answer as its source does; so
must it random requests, valid and not.
"At a threshold" is counted apart: in some rows the answers differ, and the source itself gives the bundle's answer
where their numbers are moved by 1e-13 of themselves at most. "Refuses rows": some of the other rows lie beyond the
signature's bounds (status 422), and the source predicts them. All other differences are wrong.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from searching.answers import as_rows, compare, is_at_threshold, outputs_of, score
from searching.bodies import find_mistakes
from searching.pipelines import Drawn, NotFittedError, draw
from table import Row, main

from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import ModelpackError
from serinus.modelpack.pipeline import build_bundle
from serinus.modelpack.progress import Silent
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.robustness.source_oracle import select_rows
from serinus.modelpack.sources.live import live_model

#: Of one model's fit, conversion and comparison.
_MOST_SECONDS = 60
_SEEDS_EACH = 60
WRONG, REFUSES_ROWS, AT_THRESHOLD = "wrong", "refuses rows", "at a threshold"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to search (default: %(default)s)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--refusals", action="store_true", help="list every refusal")
    parser.add_argument("--count", type=int, default=1_000_000, help="models at most")


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Outcomes, the commonest reasons, and every mistake with its seed."""
    if chosen.inside:
        _print_outcomes(range(chosen.seed, chosen.seed + chosen.count))
        raise SystemExit
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    mistakes: list[Row] = []
    end = time.monotonic() + 60 * chosen.minutes
    for seed, outcome, detail in _outcomes(chosen.seed, chosen.count, end):
        outcomes[outcome] += 1
        if outcome == "refused":
            reasons[reason(detail)] += 1
        if outcome not in ("agrees", "not fitted by scikit-learn", "" if chosen.refusals else "refused"):
            mistakes.append({"section": "mistakes", "seed": seed, "outcome": outcome, "detail": detail[:300]})
    tried = sum(count for name, count in outcomes.items() if name != "not fitted by scikit-learn")
    rows: list[Row] = [
        {"section": "outcomes", "outcome": name, "models": count, "share": count / max(1, tried)}
        for name, count in outcomes.most_common()
    ]
    rows += [
        {"section": "commonest reasons", "reason": name, "models": count}
        for name, count in reasons.most_common(10)
    ]
    return [*rows, *mistakes]


def _outcomes(first: int, count: int, end: float) -> Iterator[tuple[int, str, str]]:
    """Seed, outcome and detail, from processes of their own: a library's crash ends one of them alone."""
    seed = first
    while seed < first + count and time.monotonic() < end:
        most = min(_SEEDS_EACH, first + count - seed)
        command = [sys.executable, __file__, "--inside", "--seed", str(seed), "--count", str(most)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            started = seed
            for line in process.stdout:
                yield (seed, *json.loads(line))
                seed += 1
                if time.monotonic() > end:
                    process.kill()
                    return
        if process.returncode:
            yield seed, "crash", f"the process ended with {process.returncode}"
            seed += 1
        elif seed == started:
            raise RuntimeError("the search's process printed nothing")


def _print_outcomes(seeds: range) -> None:
    warnings.simplefilter("ignore")
    for seed in seeds:
        outcome = try_seed(seed)
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()


def reason(text: str) -> str:
    """A refusal without what is of this model alone."""
    first = text.split(". ")[0].splitlines()[0]
    kind = first.split(" (step")[0].split(" cannot be")[0]
    return f"{kind}: {first.split('ONNX: ')[-1]}"[:140] if "ONNX: " in first else first[:140]


def try_seed(seed: int) -> tuple[str, str]:
    """The outcome of the model of ``seed`` and what it says: agrees, at a threshold, refuses rows, refused, not
    fitted by scikit-learn, wrong, traceback, or too slow."""
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(_MOST_SECONDS)
    drawn = None
    try:
        drawn = draw(seed)
        with tempfile.TemporaryDirectory() as folder:
            differences = list(_differences(drawn, Path(folder)))
        for outcome in (WRONG, REFUSES_ROWS, AT_THRESHOLD):
            if texts := [text for text, kind in differences if kind == outcome]:
                return outcome, f"{drawn.described}: {'; '.join(texts)}"
        return "agrees", ""
    except NotFittedError as error:
        return "not fitted by scikit-learn", str(error)
    except ModelpackError as error:
        return "refused", str(error)
    except TimeoutError:
        return ("too slow", drawn.described) if drawn else ("not fitted by scikit-learn", "too slow")
    except Exception as error:  # noqa: BLE001 - a traceback is what the search looks for
        shown = drawn.described if drawn else ""
        return "traceback", f"{shown}: {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)


def _too_slow(*_: Any) -> None:
    raise TimeoutError


def _differences(drawn: Drawn, folder: Path) -> Iterator[tuple[str, str]]:
    """How the packaged model answers rows otherwise than its source, and the outcome that this is."""
    sample = folder / "sample.parquet"
    drawn.table.to_parquet(sample)
    live = live_model(drawn.model, folder)
    request = PackageRequest(source=Path("model"), name="m", sample=sample, project=folder)
    bundle = folder / "bundle"
    bundle.mkdir()
    build_bundle(request, Silent(), bundle, live)
    model = open_model(bundle, memory_mb=1769)
    scorer = Scorer(model, Limits(), "1")
    tolerance = request.tolerance
    for table in (drawn.other, *(drawn.hard.iloc[[row]] for row in range(len(drawn.hard)))):
        try:
            expected = live.source.predict(table.reset_index(drop=True))
        except Exception:  # noqa: BLE001 - a row that the source itself refuses has no answer to compare with
            continue
        if any(values.dtype.kind == "f" and not np.isfinite(values).all() for values in expected.values()):
            continue
        if any(len(values) != len(table) for values in expected.values()):
            continue  # SparsePCA makes three rows of one that is alone
        status, answer = score(scorer, as_rows(table))
        if status != 200:
            if len(table) > 1:
                yield f"the endpoint refuses rows that the source predicts: {str(answer)[:200]}", REFUSES_ROWS
            continue
        for difference in compare(expected, answer, tolerance, is_sample=len(table) > 1):
            rows = table.iloc[list(difference.rows)].reset_index(drop=True)
            own = select_rows(outputs_of(answer, expected), list(difference.rows))
            is_close = is_at_threshold(live.source.predict, rows, own, tolerance)
            yield difference.text, AT_THRESHOLD if is_close else WRONG
    for mistake in find_mistakes(scorer, model.manifest.signature.features, live, drawn.other):
        yield f"request with {mistake}", WRONG


if __name__ == "__main__":
    main("search", measure, note=(__doc__ or "").split("\n\n")[0], arguments=arguments)
