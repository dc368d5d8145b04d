"""Other tools with their documented defaults, each in an environment of its own in the user's cache."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.store import stored
from table import Row

from serinus.modelpack.layers.uv import uv_command
from watching.figures import Measurement
from watching.months import BASELINE_ROWS

#: With what their own requirements leave out, or let grow beyond what they import.
REQUIREMENTS = {
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "nannyml": ("nannyml==0.13.1", "statsmodels"),
    "alibi-detect": ("alibi-detect==0.13.0",),
}
#: Rules that are computed here by their documented formulas.
FORMULAS = {
    "largest-distance": "SageMaker Model Monitor: largest distance > 0.1",
    "stability-index": "population stability index > 0.2",
}
ROWS_A_LOOK = 1_000
SCRIPT = Path(__file__).with_name("peer_looks.py")
SECTION = "Other tools: looks at 1,000 rows an hour, without drift"
PYTHON = "3.11"


def measure_peers(measurement: Measurement) -> list[Row]:
    """One row a tool; those that do not install are named with the reason."""
    if not measurement.peer_minutes:
        return []
    with ThreadPoolExecutor(measurement.processes) as pool:
        return list(pool.map(lambda tool: _row(measurement, tool), [*REQUIREMENTS, *FORMULAS]))


def _row(measurement: Measurement, tool: str) -> Row:
    row = {"section": SECTION, "tool": FORMULAS.get(tool, tool)}
    try:
        python = Path(sys.executable) if tool in FORMULAS else _environment(tool)
        seconds = 60 * measurement.peer_minutes / (1 if tool in REQUIREMENTS else 15)
        seen = _looks(python, tool, seconds)
    except subprocess.CalledProcessError as error:
        measurement.say(f"{tool}: {error.stderr[-500:]}")
        return row | {"as": "does not install or run here"}
    looks = seen["looks"]
    measurement.say(f"{tool}: {looks} looks, {seen['alarmed']} alarmed")
    return row | {
        "as": f"installed, {seen['version']}" if tool in REQUIREMENTS else "computed by its formula",
        "looks": looks,
        "months": round(seen["months"], 2),
        "looks alarmed %": round(100 * seen["alarmed"] / looks, 1),
        "hours alarmed of 720": round(720 * seen["alarmed"] / looks),
        "columns alarmed of 30": round(seen["columns"], 2),
        "sees 0.25 sd at a look %": round(100 * seen["found"]),
        "of looks": seen["found_of"],
    }


def _environment(tool: str) -> Path:
    """The Python of an environment with ``tool``, made now where it is not there."""

    def make(folder: Path) -> None:
        _run([*uv_command(), "venv", "--quiet", "--relocatable", "--python", PYTHON, str(folder / "venv")])
        python = str(folder / "venv" / "bin" / "python")
        _run([*uv_command(), "pip", "install", "--quiet", "--python", python, *REQUIREMENTS[tool]])

    return stored(f"peer-{tool}", (PYTHON, *REQUIREMENTS[tool]), make) / "venv" / "bin" / "python"


def _looks(python: Path, tool: str, seconds: float) -> dict:
    # None of them shall report to its makers, nor take more than one core.
    quiet = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}
    command = [str(python), str(SCRIPT), tool, str(ROWS_A_LOOK), str(BASELINE_ROWS), str(seconds)]
    return json.loads(_run(command, {**os.environ, **quiet}).splitlines()[-1])


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
