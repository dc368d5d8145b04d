"""What the figures are held to, and whether they keep it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Aim:
    """``value`` takes the benchmark's rows; it shall be at most ``bound``, or at least where ``at_least``."""

    figure: str
    benchmark: str
    bound: float
    value: Callable[[Sequence[Row]], float | None]
    at_least: bool = False

    def judge(self, rows: Rows) -> Row:
        """A row of the table of aims; nothing is measured where the rows lack what the aim speaks of."""
        found = self.value(rows[self.benchmark])
        if found is None:
            kept = "not measured"
        else:
            kept = "yes" if (found >= self.bound if self.at_least else found <= self.bound) else "no"
        words = f"at {'least' if self.at_least else 'most'} {self.bound:g}"
        return {"figure": self.figure, "aim": words, "measured": found, "kept": kept}


def _cell(rows: Sequence[Row], /, **wanted: Any) -> Row | None:
    return next((row for row in rows if all(row.get(key) == value for key, value in wanted.items())), None)


def _cold(above: str, below: str, figure: str = "median_ms") -> Callable[[Sequence[Row]], float | None]:
    """The ratio of two contestants at one CPU, small model, warm page cache."""

    def ratio(rows: Sequence[Row]) -> float | None:
        place = {"model": "boosting", "page_cache": "warm", "memory_mb": 1769}
        one, other = _cell(rows, name=above, **place), _cell(rows, name=below, **place)
        return round(one[figure] / other[figure], 2) if one and other else None

    return ratio


def _figure(key: str, **wanted: Any) -> Callable[[Sequence[Row]], float | None]:
    def value(rows: Sequence[Row]) -> float | None:
        row = _cell(rows, **wanted)
        return row[key] if row else None

    return value


def _millions(key: str, **wanted: Any) -> Callable[[Sequence[Row]], float | None]:
    def value(rows: Sequence[Row]) -> float | None:
        row = _cell(rows, **wanted)
        return round(row[key] / 1e6, 2) if row else None

    return value


def _lines(rows: Sequence[Row]) -> float | None:
    """Microseconds that the log line adds, the larger of one row and a hundred."""
    added = []
    for count in (1, 100):
        bare, told = _cell(rows, name="serinus", rows=count), _cell(rows, name="serinus, with lines", rows=count)
        if bare and told:
            added.append(told["median_us"] - bare["median_us"])
    return round(max(added), 1) if added else None


def _largest(key: str, **wanted: Any) -> Callable[[Sequence[Row]], float | None]:
    def value(rows: Sequence[Row]) -> float | None:
        chosen = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
        found = [row[key] for row in chosen if row.get(key) is not None]
        return round(max(found), 3) if found else None

    return value


def _missed(section: str) -> Callable[[Sequence[Row]], float | None]:
    def value(rows: Sequence[Row]) -> float | None:
        held = [row["held"] for row in rows if row.get("section") == section and row.get("held")]
        return held.count("MISSED") if held else None

    return value


def _not_quantized(rows: Sequence[Row]) -> float:
    return sum(row.get("kept") == "no" for row in rows)


def _converted(rows: Sequence[Row]) -> float:
    return sum(row.get("converted") == "yes" for row in rows)


_OURS = {"name": "serinus, as shipped", "architecture": "x86_64"}

AIMS = (
    Aim("serinus / floor, cold, one CPU", "cold_start", 1.10, _cold("serinus", "floor")),
    Aim("sklearn-fastapi-pyc / serinus", "cold_start", 9, _cold("sklearn-fastapi-pyc", "serinus"), at_least=True),
    Aim("sklearn-fastapi / serinus", "cold_start", 24, _cold("sklearn-fastapi", "serinus"), at_least=True),
    Aim("serinus-no-hot-route / floor", "cold_start", 2.5, _cold("serinus-no-hot-route", "floor")),
    Aim("peak memory, serinus / floor", "cold_start", 1.1, _cold("serinus", "floor", "peak_mb")),
    Aim("runtime layer, x86_64, MB of 10^6 bytes unzipped", "layers", 88, _millions("unzipped_bytes", **_OURS)),
    Aim("runtime layer, x86_64, MB of 10^6 bytes zipped", "layers", 30, _millions("zipped_bytes", **_OURS)),
    Aim("handler alone, 1 row, us", "warm", 15, _figure("median_us", name="serinus", rows=1)),
    Aim("handler alone, 100 rows, us", "warm", 250, _figure("median_us", name="serinus", rows=100)),
    Aim("kinds of models converted within tolerance", "models", 40, _converted, at_least=True),
    Aim("forests, size, TreeEnsemble v5 / plain", "models", 0.35, _largest("v5_size_over_plain")),
    Aim("forests, latency, TreeEnsemble v5 / plain", "models", 1.3, _largest("v5_latency_over_plain")),
    Aim("networks not shipped in int8 or int4 at 0.3 times the size", "quantize", 0, _not_quantized),
    Aim(
        "largest bound of a loss of accuracy by labels",
        "quantize",
        0.01,
        _largest("loss_at_most", quantizer="serinus"),
    ),
    Aim("log and metric lines add, us", "warm", 40, _lines),
    Aim("kinds of healthy releases rolled back too often", "judge", 0, _missed("False rollbacks")),
    Aim(
        "errors for which the judge needs over 1.25 times the oracle's requests",
        "judge",
        0,
        _missed("Requests to detect errors"),
    ),
    *(
        Aim(figure, "monitor", 0, _missed(section))
        for figure, section in (
            ("traffic with too many false months, plain", "Plain: months without drift"),
            ("drifts found too late, plain", "Plain: hours until a drift is found"),
            ("kinds of traffic with too many false months, default", "Default: months without drift"),
            (
                "drifts found too late in the first days, default",
                "Default: hours until a drift is found, first days",
            ),
            (
                "drifts found too late after two weeks, default",
                "Default: hours until a drift is found, after two weeks",
            ),
        )
    ),
)
