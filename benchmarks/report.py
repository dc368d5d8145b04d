"""Writes docs/benchmarks.md and its plots from the rows of all benchmarks."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.aims import AIMS
from lab.bars import draw_bars
from table import Row, machine

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PLOTS = DOCS / "benchmarks"
#: Modules that measure nothing.
NOT_MEASURING = {"report", "table"}
HEAD = """# Benchmarks

Written by `scripts/bench --all`; each figure comes with what it is compared with, measured in the same run.
Absolute times belong to the machine; ratios travel better. `scripts/bench NAME` measures one of them, with
`--json` as data. The rows lie in [benchmarks/](benchmarks/).
"""
#: Headings, in the order of the page; what is not named here comes last, under its own name.
TITLES = {
    "cold_start": "Cold starts",
    "warm": "Warm requests",
    "layers": "Layers",
    "cost": "Cost of a million predictions",
    "load": "Load",
    "main_job": "The main job",
    "package": "Packaging",
    "models": "Kinds of models",
    "judge": "The judge",
    "rehearse": "Rehearsals",
    "bake_end": "The end of a bake",
    "broken_layer": "A broken layer",
    "offline": "The offline cloud",
    "fuzz": "Hostile requests",
}


def main() -> None:
    """Measure what was asked for, keep the rows, write the page."""
    parser = argparse.ArgumentParser(prog="scripts/bench --all", description=__doc__)
    parser.add_argument("--only", action="append", help="measure only this benchmark; take the others' kept rows")
    parser.add_argument("--render", action="store_true", help="measure nothing; write the page from kept rows")
    chosen = parser.parse_args()
    PLOTS.mkdir(exist_ok=True)
    asked = [] if chosen.render else [name for name in names() if chosen.only is None or name in chosen.only]
    for number, name in enumerate(asked):
        took = [kept()[other].get("seconds", 0) for other in asked[number:] if other in kept()]
        sys.stderr.write(
            f"{name}, {number + 1} of {len(asked)}; last time the rest took {sum(took) / 60:.0f} min\n"
        )
        measure(name)
    (DOCS / "benchmarks.md").write_text(render(kept()), encoding="utf-8")


def kept() -> dict[str, Row]:
    """What the last run of each benchmark left, in the order of the page."""
    return {name: json.loads(path.read_bytes()) for name in names() if (path := PLOTS / f"{name}.json").is_file()}


def names() -> list[str]:
    """Every benchmark, in the order of the page."""
    found = sorted({path.stem for path in HERE.glob("*.py")} - NOT_MEASURING)
    return sorted(found, key=lambda name: list(TITLES).index(name) if name in TITLES else len(TITLES))


def measure(name: str) -> None:
    """Run one benchmark in a process of its own and keep its rows; one that fails ends all."""
    command, begun = [sys.executable, str(HERE / f"{name}.py"), "--json"], time.monotonic()
    rows = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    found = {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - begun),
        "note": _note(name),
        "rows": rows,
    }
    (PLOTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def render(found: Mapping[str, Row]) -> str:
    """The page; plots are written beside it."""
    rows = {name: kept["rows"] for name, kept in found.items()}
    parts = [HEAD, *_aims(rows)]
    for name, run in found.items():
        took = f"{run['machine']}, {run['date']}"
        if "seconds" in run:
            took += f", in {max(1, round(run['seconds'] / 60))} min"
        parts += [f"## {TITLES.get(name, name)}", "", f"`scripts/bench {name}`: {run['note']}", ""]
        parts += [*_plots(name, run["rows"]), *_TABLES.get(name, markdown)(run["rows"]), "", f"{took}.", ""]
    return "\n".join(parts)


def markdown(rows: Sequence[Row]) -> list[str]:
    """Rows as a table; counts of bytes are for who reads the data."""
    columns = [key for key in dict.fromkeys(key for row in rows for key in row) if not key.endswith("_bytes")]
    columns = [key for key in columns if any(row.get(key) not in (None, "") for row in rows)]
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column)) for column in columns] for row in rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def cold_starts(rows: Sequence[Row]) -> list[str]:
    """One table a model and page cache: contestants down, CPU shares across, medians with their spread."""
    lines: list[str] = []
    for model, page_cache in dict.fromkeys((row["model"], row["page_cache"]) for row in rows):
        cells = [row for row in rows if (row["model"], row["page_cache"]) == (model, page_cache)]
        shares = list(dict.fromkeys(row["memory_mb"] for row in cells))
        table = [
            {
                "ms": name,
                **{
                    f"{share} MB" if share else "unthrottled": _spread(row)
                    for share in shares
                    for row in cells
                    if (row["name"], row["memory_mb"]) == (name, share)
                },
                "peak MB": max(row["peak_mb"] for row in cells if row["name"] == name),
            }
            for name in dict.fromkeys(row["name"] for row in cells)
        ]
        lines += [f"### {model}, page cache {page_cache}", "", *markdown(table), ""]
    return lines


def _spread(row: Row) -> str:
    return f"{row['median_ms']:,.0f} ({row['min_ms']:,.0f} to {row['max_ms']:,.0f}), {row['ratio']:.2f}x"


def _aims(rows: Mapping[str, list[Row]]) -> list[str]:
    table = [aim.judge(rows) for aim in AIMS if aim.benchmark in rows]
    return ["## Aims", "", *markdown(table), ""] if table else []


def _plots(name: str, rows: Sequence[Row]) -> list[str]:
    lines = []
    for file, title, unit, bars in _charts(name, rows):
        (PLOTS / file).write_text(draw_bars(title, bars, unit, "serinus"), encoding="utf-8")
        lines += [f"![{title}](benchmarks/{file})", ""]
    return lines


def _charts(name: str, rows: Sequence[Row]) -> list[tuple[str, str, str, list[tuple[str, float]]]]:
    if name == "cold_start":
        at = [row for row in rows if row["page_cache"] == "warm" and row["memory_mb"] in (1769, None)]
        share = 1769 if any(row["memory_mb"] for row in at) else None
        return [
            (
                f"cold_start_{model}.svg",
                f"Cold start to first answer, {model}, " + ("one CPU" if share else "unthrottled"),
                "ms",
                [(r["name"], r["median_ms"]) for r in at if r["model"] == model and r["memory_mb"] == share],
            )
            for model in dict.fromkeys(row["model"] for row in at)
        ]
    if name == "load":
        most = max(row["clients"] for row in rows if "clients" in row)
        bars = [(row["name"], row["per_s"]) for row in rows if row.get("clients") == most]
        return [("load.svg", f"Requests a second at saturation, {most} clients", "/s", bars)]
    if name == "layers":
        bars = [(f"{row['name']} {row['architecture']}", row["unzipped_mb"]) for row in rows]
        return [("layers.svg", "Layers, unzipped", "MB", bars)]
    if name == "warm":
        alone = [row for row in rows if "gateway" not in row["name"]]
        return [
            (
                f"warm_{count}.svg",
                f"{count} row{'s' * (count > 1)} in a warm function, handler alone",
                "us",
                [(row["name"], row["median_us"]) for row in alone if row["rows"] == count],
            )
            for count in dict.fromkeys(row["rows"] for row in alone)
        ]
    return []


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _note(name: str) -> str:
    """What the benchmark says of itself, from the end of its table."""
    command = [sys.executable, str(HERE / f"{name}.py"), "--help"]
    unwrapped = {**os.environ, "COLUMNS": "10000"}
    asked = subprocess.run(command, check=True, capture_output=True, text=True, env=unwrapped)
    paragraphs = asked.stdout.split("\n\n")
    return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""


def loads(rows: Sequence[Row]) -> list[str]:
    """Saturation, then the soak, whose columns are others."""
    soaks = [row for row in rows if "clients" not in row]
    return [*markdown([row for row in rows if "clients" in row]), *([""] * bool(soaks)), *markdown(soaks), ""]


_TABLES: Mapping[str, Callable[[Sequence[Row]], list[str]]] = {"cold_start": cold_starts, "load": loads}

if __name__ == "__main__":
    main()
