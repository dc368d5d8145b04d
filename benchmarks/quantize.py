"""Quantization: networks of 0.1 to 50 million weights with a holdout, ONNX Runtime's own quantizers beside.

Chosen precision, size and latency over the plain graph's, one thread, and accuracy on the holdout before, after.
loss_at_most is the one-sided 95 % bound of the loss of accuracy, log_loss_at_most that of the log loss as a share.
ONNX Runtime's quantize_dynamic and quantize_static, by their defaults and calibrated on 200 rows, made graphs from
the same file in the same run. "kept" says whether int8 or int4 was chosen at 0.3 times the size or less.
"""

import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnxruntime
import pandas as pd
from lab.networks import SAMPLE_ROWS, Network, networks
from onnxruntime import quantization
from table import Row, main

from serinus.modelpack.package import package
from serinus.modelpack.paired_loss import measure_losses
from serinus.modelpack.request import PackageRequest

CALIBRATION_ROWS = 200
LARGEST_SIZE = 0.3


def measure() -> Iterator[Row]:
    """Three rows a network."""
    for _, make in networks():
        network = make()
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from _rows(network, Path(folder))


def _rows(network: Network, folder: Path) -> Iterator[Row]:
    (folder / "model.onnx").write_bytes(network.model)
    table = network.rows.assign(y=network.labels)
    table[:SAMPLE_ROWS].to_parquet(folder / "sample.parquet")
    table[SAMPLE_ROWS:].to_parquet(folder / "holdout.parquet")
    begun = time.perf_counter()
    packed = package(
        PackageRequest(
            folder / "model.onnx",
            "bench",
            folder / "sample.parquet",
            folder / "project",
            target="y",
            holdout=folder / "holdout.parquet",
        )
    )
    seconds = time.perf_counter() - begun
    plain = packed.precisions[0]
    line = next(line for line in packed.precisions if line.chosen)
    head = {"network": network.name, "million weights": round(network.millions, 2)}
    losses = {} if line.verdict is None else line.verdict.losses
    accuracy = losses.get("accuracy")
    size = (line.size_bytes or 0) / (plain.size_bytes or 1)
    holdout = packed.holdout or {}
    yield {
        **head,
        "quantizer": "serinus",
        "precision": line.title,
        "size_ratio": size,
        "one_row_ratio": (line.one_row_us or 0.0) / (plain.one_row_us or 1.0),
        "hundred_rows_ratio": (line.hundred_rows_us or 0.0) / (plain.hundred_rows_us or 1.0),
        "accuracy_before": holdout["source"]["accuracy"],
        "accuracy_after": holdout["bundle"]["accuracy"],
        "loss_at_most": accuracy.at_most if accuracy else 0.0,
        "log_loss_at_most": losses["log_loss"].at_most if losses else 0.0,
        "kept": "yes" if line.precision.startswith("int") and size <= LARGEST_SIZE else "no",
        "package_s": round(seconds, 1),
    }
    for name, quantize in (("ORT dynamic", _dynamic), ("ORT static", _static)):
        yield {**head, "quantizer": name, **_theirs(network, folder, quantize)}


def _dynamic(source: Path, target: Path, network: Network) -> None:
    del network
    quantization.quantize_dynamic(source, target)


def _static(source: Path, target: Path, network: Network) -> None:
    feeds = [{name: values[:CALIBRATION_ROWS] for name, values in network.inputs.items()}]

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds = iter(feeds)

        def get_next(self) -> Any:
            return next(self._feeds, None)

    quantization.quantize_static(source, target, Reader())


def _theirs(network: Network, folder: Path, quantize: Callable[[Path, Path, Network], None]) -> Row:
    target = folder / "theirs.onnx"
    logging.disable(logging.WARNING)
    try:
        quantize(folder / "model.onnx", target, network)
        plain, changed = (_session(path) for path in (folder / "model.onnx", target))
        before, after = _scores(plain, network), _scores(changed, network)
    except Exception as error:  # noqa: BLE001 - a quantizer that fails is a row of the table
        return {"precision": f"fails: {str(error).splitlines()[0][:60]}"}
    finally:
        logging.disable(logging.NOTSET)
    truth = pd.Series(network.labels[SAMPLE_ROWS:])
    losses = measure_losses(truth, _classifier(before), _classifier(after), tuple(range(before.shape[1])))
    times = [[_fastest_us(session, network, rows) for rows in (1, 100)] for session in (plain, changed)]
    return {
        "precision": "int8",
        "size_ratio": target.stat().st_size / (folder / "model.onnx").stat().st_size,
        "one_row_ratio": times[1][0] / times[0][0],
        "hundred_rows_ratio": times[1][1] / times[0][1],
        "accuracy_before": losses["accuracy"].source,
        "accuracy_after": losses["accuracy"].bundle,
        "loss_at_most": losses["accuracy"].at_most,
        "log_loss_at_most": losses["log_loss"].at_most,
    }


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _scores(session: Any, network: Network) -> Any:
    """[rows, classes] of the holdout, few rows at a time, as requests hold them."""
    values = network.inputs["x"][SAMPLE_ROWS:]
    parts = [values[start : start + 64] for start in range(0, len(values), 64)]
    return np.concatenate([session.run(None, {"x": part})[0] for part in parts])


def _classifier(scores: Any) -> dict[str, Any]:
    exponential = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = exponential / exponential.sum(axis=1, keepdims=True)
    return {"label": shares.argmax(axis=1), "probabilities": shares}


def _fastest_us(session: Any, network: Network, rows: int) -> float:
    feeds = {"x": network.inputs["x"][:rows]}
    taken = []
    for _ in range(10):
        begun = time.perf_counter()
        session.run(None, feeds)
        taken.append(time.perf_counter() - begun)
    return min(taken) * 1e6


if __name__ == "__main__":
    main("quantize", lambda: list(measure()), note=" ".join((__doc__ or "").split()))
