"""What comes of each estimator: packaged and equal on rows outside the sample, or one line that says why not."""

import signal
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from searching.answers import as_rows, compare, score

from catalogue.estimators import Case
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import ModelpackError
from serinus.modelpack.pipeline import build_bundle
from serinus.modelpack.progress import Silent
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.robustness.source_oracle import select_rows
from serinus.modelpack.sources.live import live_model

#: Of one estimator: fitted, packaged and compared.
MOST_SECONDS = 60
#: What a graph of doubles may differ by from its source.
DOUBLES = Tolerance(atol=1e-9, rtol=1e-9)

Outcome = tuple[str, str]


def try_case(case: Case) -> Outcome:
    """``packaged``; or not fitted by scikit-learn, refused, wrong, or traceback, with one line of detail."""
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(MOST_SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if case.target is not None:
                    case.model.fit(case.table, case.target)
                getattr(case.model, "predict", None) or case.model.transform
            except Exception as error:  # noqa: BLE001 - scikit-learn's own refusal, of any kind
                return "not fitted by scikit-learn", _first_line(error)
            with tempfile.TemporaryDirectory() as folder:
                return _package(case, Path(folder))
    except ModelpackError as error:
        return "refused", _first_line(error)
    except TimeoutError:
        return "too slow", f"more than {MOST_SECONDS} s"
    except Exception as error:  # noqa: BLE001 - a traceback is a result
        return "traceback", f"{type(error).__name__}: {_first_line(error)}"
    finally:
        signal.alarm(0)


def _package(case: Case, folder: Path) -> Outcome:
    case.table.to_parquet(folder / "sample.parquet")
    request = PackageRequest(Path("model"), "m", folder / "sample.parquet", folder)
    live = live_model(case.model, folder)
    bundle = folder / "bundle"
    bundle.mkdir()
    packed = build_bundle(request, Silent(), bundle, live)
    scorer = Scorer(open_model(bundle, memory_mb=1769), Limits(), "1")
    expected = live.source.predict(case.other)
    # A source that has no answer to a row, as beyond the range of training, has none to compare with.
    floats = [values for values in expected.values() if values.dtype.kind == "f"]
    finite = [np.isfinite(values).reshape(len(values), -1).all(axis=1) for values in floats]
    rows = np.flatnonzero(np.logical_and.reduce(finite)) if finite else np.arange(len(case.other))
    expected = select_rows(expected, rows.tolist())
    status, answer = score(scorer, as_rows(case.other.iloc[rows]))
    if status != 200:
        return "wrong", f"the endpoint refuses rows that the source predicts: {answer.get('errors', answer)}"[:300]
    tolerance = DOUBLES if case.is_double and packed.precision == "float64" else request.tolerance
    differences = list(compare(expected, answer, tolerance, is_sample=True))
    if differences:
        return "wrong", f"{packed.precision}: {'; '.join(item.text for item in differences)}"[:300]
    return "packaged", packed.precision


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _too_slow(*_: Any) -> None:
    raise TimeoutError
