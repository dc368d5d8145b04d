"""Real data: the American Community Survey's employment in Massachusetts, 2015 to 2018, as NannyML's wheel has it.

Half of 2015 is the baseline, by the functions of `serinus package`. Looks of 500 rows follow, counted by the
function's own counter: at the other half, where nothing can have drifted, and at each later year. Rows are
shuffled within a year, because the survey's order is not that of time.
"""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
from lab.store import stored
from table import Row

from serinus.lambda_handlers.contract.counting import compile_counter
from serinus.lambda_handlers.contract.monitored import Monitored
from serinus.lambda_handlers.contract.signature import Feature, Signature, Tensor
from serinus.lambda_handlers.monitoring.clocks import Clocks
from serinus.lambda_handlers.monitoring.endpoint_streams import EndpointStreams
from serinus.lambda_handlers.monitoring.hours import Block
from serinus.modelpack.layers.uv import uv_command
from serinus.modelpack.monitored import Rows, choose_columns
from watching.figures import Measurement
from watching.sections import PLAIN

WHEEL = "nannyml==0.13.1"
ROWS_A_LOOK = 500
NUMERIC = ("AGEP",)
NOT_FEATURES = ("id", "employed", "year", "prediction", "predicted_probability")
SECTION = "Employment in Massachusetts, looks of 500 rows, plain configuration"


def measure_acs(measurement: Measurement) -> list[Row]:
    """One row a year, of which each is watched against the baseline of 2015 anew."""
    reference, later = _tables()
    shuffled = reference.sample(frac=1, random_state=0)
    baseline, held_out = shuffled.iloc[: len(shuffled) // 2], shuffled.iloc[len(shuffled) // 2 :]
    signature = _signature([name for name in reference.columns if name not in NOT_FEATURES])
    monitored = choose_columns(signature, Rows("sample", _feeds(baseline, signature), {}), None, None)
    years = [("2015, held out", held_out)]
    years += [(str(year), rows.sample(frac=1, random_state=0)) for year, rows in later.groupby("year")]
    rows = [{"section": SECTION, "rows of": name} | _watch(table, signature, monitored) for name, table in years]
    for row in rows:
        measurement.say(f"employment, {row['rows of']}: {row['looks alarmed']} of {row['looks']} looks alarmed")
    return rows


def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of 2015, and of the later years. The wheel is unpacked, and nothing of it runs."""

    def make(folder: Path) -> None:
        command = [*uv_command(), "pip", "install", "--quiet", "--no-deps", "--target", str(folder), WHEEL]
        subprocess.run(command, check=True)

    data = stored("employment", (WHEEL,), make) / "nannyml" / "datasets" / "data"
    return pd.read_parquet(data / "employment_MA_reference.pq"), pd.read_parquet(
        data / "employment_MA_analysis.pq"
    )


def _signature(names: list[str]) -> Signature:
    texts = tuple(name for name in names if name not in NUMERIC)
    features = tuple(Feature(name, "float64" if name in NUMERIC else "string") for name in names)
    tensors = Tensor("numbers", "float64", NUMERIC), Tensor("texts", "string", texts)
    return Signature("classification", features, tensors, ())


def _feeds(table: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    numbers, texts = signature.tensors
    return {
        numbers.name: table[list(numbers.features)].to_numpy(np.float64),
        texts.name: table[list(texts.features)].astype(str).to_numpy(object),
    }


def _watch(table: pd.DataFrame, signature: Signature, monitored: Monitored) -> Row:
    count, streams = compile_counter(signature, monitored), EndpointStreams(monitored)
    clocks = Clocks.new(streams.streams, PLAIN)
    alarmed: list[int] = []
    first, looks = "", len(table) // ROWS_A_LOOK
    for look in range(looks):
        part = table.iloc[look * ROWS_A_LOOK : (look + 1) * ROWS_A_LOOK]
        counts = count(_feeds(part, signature), {}).tolist()
        counted = streams.count([Block(ROWS_A_LOOK, 0, ROWS_A_LOOK, counts)])
        evidence = clocks.look(look, *counted).slow
        assert evidence is not None
        if evidence.alarm:
            alarmed.append(look + 1)
            first = first or ", ".join(_names(streams, evidence.named)) or "none proven"
    return {
        "looks": looks,
        "looks alarmed": len(alarmed),
        "first at look": alarmed[0] if alarmed else None,
        "named": first,
        "named at the last look": ", ".join(_names(streams, evidence.named)),
    }


def _names(streams: EndpointStreams, named: np.ndarray) -> list[str]:
    return [streams.streams.columns[place] for place in np.flatnonzero(named)]
