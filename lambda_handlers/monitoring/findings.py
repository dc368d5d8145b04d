"""What a look found, in words and numbers: drift of a column, refused requests, lines that did not arrive."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from serinus.lambda_handlers.monitoring.detector import Evidence
from serinus.lambda_handlers.monitoring.endpoint_streams import REFUSED, EndpointStreams, column_shares
from serinus.lambda_handlers.monitoring.hours import Block

#: The slow clock's bands are the tighter ones.
CLOCKS = ("slow", "fast")
#: Below this share of the alias' invocations that lines account for, what is counted may not be what was served.
LEAST_COVERAGE = 0.9
#: Fewer invocations in a day are covered by too few lines to say.
FEWEST_INVOCATIONS = 100
#: Of a false report of a broken constraint that allows some values, in an hour in which just these occur.
_CHANCE = 1e-6
#: Evidence is reported up to e to this power: more says nothing.
_MOST = 300.0


class Finding(NamedTuple):
    """``kind``: "drift", "refused requests", "constraint", "coverage", "reference". ``column`` and ``role`` are a
    column's, ``clock`` "slow" or "fast"; ``stream`` in words, its share in the reference, ``before``, and ``now``.
    ``named`` is False where the evidence is of several columns together, of which this is the most suspect."""

    kind: str
    text: str
    baseline: str = ""
    column: str = ""
    role: str = ""
    clock: str = ""
    stream: str = ""
    before: float | None = None
    now: float | None = None
    named: bool = True

    @property
    def identity(self) -> tuple[str, ...]:
        """A finding that stands at the next look too is the same."""
        return (self.kind, self.baseline, self.column, *([self.stream] if self.kind == "constraint" else []))


def describe_look(evidence: Evidence, hour: int, streams: EndpointStreams) -> dict[str, Any]:
    """A clock's look as reported: evidence "to 1" of the whole endpoint and by column, strongest first."""
    columns = [
        {
            "column": name,
            "evidence": _odds(float(evidence.by_column[place])),
            "named": bool(evidence.named[place]),
            "stream": streams.describe(int(evidence.stream[place])),
        }
        for place, name in enumerate(streams.streams.columns)
    ]
    return {
        "hour": hour,
        "evidence": _odds(float(evidence.total)),
        "alarms_at": _odds(evidence.threshold),
        "alarm": bool(evidence.alarm),
        "columns": sorted(columns, key=lambda item: -float(item["evidence"])),
    }


def _odds(logarithm: float) -> float:
    return float(f"{math.exp(min(logarithm, _MOST)):.4g}")


def find_drift(looks: Mapping[str, Any], streams: EndpointStreams, baseline: str, recent: Block) -> list[Finding]:
    """Findings of the clocks whose last look, of ``looks`` as `describe_look` has it, alarmed; of a column that
    both name, the slow one's. ``recent`` holds the last day's sums, which shares are reported from."""
    places = {name: place for place, name in enumerate(streams.streams.columns)}
    findings: dict[str, Finding] = {}
    for clock in CLOCKS:
        look = looks.get(clock)
        if not look or not look["alarm"]:
            continue
        named = [item for item in look["columns"] if item["named"]]
        for item in named or look["columns"][:1]:
            finding = _drift(item, clock, streams, places[item["column"]], baseline, recent, named=bool(named))
            findings.setdefault(finding.column, finding)
    return list(findings.values())


def _drift(
    item: dict[str, Any],
    clock: str,
    streams: EndpointStreams,
    place: int,
    baseline: str,
    recent: Block,
    *,
    named: bool,
) -> Finding:
    column = streams.column_at(place)
    if column is None:
        share = recent.refused / max(1, recent.requests)
        text = f"{share:.1%} of the last day's requests were refused by validation"
        return Finding("refused requests", text, baseline, REFUSED, "input", clock, "refused", None, share, named)
    words = column.describe_streams()
    number = words.index(item["stream"])
    counts = next(own for other, own in streams.monitored.by_column(recent.counts) if other is column)
    total = max(1, recent.rows * column.values)
    shares = [_stream_shares(column.counts, column.total, column), _stream_shares(counts, total, column)]
    before, now = (share[number] for share in shares)
    what = "input" if column.role == "input" else "prediction"
    suspect = "" if named else "several columns together drift; most suspect: "
    text = (
        f"{suspect}{what} {column.name}: {_of(item['stream'])} {now:.1%} in the last day, "
        f"{before:.1%} in the reference"
    )
    name = streams.name_of(column)
    return Finding("drift", text, baseline, name, column.role, clock, item["stream"], before, now, named)


def _stream_shares(counts: Sequence[float], total: float, column: Any) -> list[float]:
    shares = [count / total for count in counts]
    return [*shares, sum(shares[: len(column.edges)]) / len(column.edges)] if column.has_mean_rank else shares


def _of(stream: str) -> str:
    return "mean rank" if stream == "mean rank" else f"share {stream}"


def find_broken_limits(streams: EndpointStreams, baseline: str, hour: Block) -> list[Finding]:
    """Constraints of people that the values of an ``hour`` break: any value where none may, else more than chance
    explains at the largest share that is allowed."""
    broken = []
    for column, counts in streams.monitored.by_column(hour.counts):
        total = hour.rows * column.values
        for limit in column.limits if total else ():
            breaking = sum(counts[place] for place in limit.streams)
            if not _exceeds(breaking, total, limit.share):
                continue
            text = (
                f"input {column.name}: {breaking / total:.2%} of an hour's values break the constraint "
                f"{limit.name}, which allows {limit.share:.2%}"
            )
            broken.append(
                Finding(
                    "constraint",
                    text,
                    baseline,
                    column.name,
                    column.role,
                    "hour",
                    limit.name,
                    limit.share,
                    breaking / total,
                )
            )
    return broken


def _exceeds(breaking: int, total: int, share: float) -> bool:
    """Whether so many would be seen with a chance below `_CHANCE` at ``share`` (Chernoff's bound)."""
    now = breaking / total
    if now <= share:
        return False
    if share <= 0.0:
        return True
    apart = now * math.log(now / share) + ((1 - now) * math.log((1 - now) / (1 - share)) if now < 1 else 0.0)
    return total * apart > -math.log(_CHANCE)


def find_coverage(coverage: Sequence[Sequence[int]]) -> list[Finding]:
    """``coverage`` [hours] of hour, requests on lines, and the alias' invocations."""
    counted, invoked = sum(item[1] for item in coverage), sum(item[2] for item in coverage)
    if invoked < FEWEST_INVOCATIONS or counted >= LEAST_COVERAGE * invoked:
        return []
    text = (
        f"only {counted / invoked:.1%} of the last day's {invoked:,} requests were counted: lines do not arrive, "
        "or environments end before they write them"
    )
    return [Finding("coverage", text, now=counted / invoked)]


def unknown_reference(baseline: str) -> Finding:
    """Requests were counted under a baseline of which no reference was kept."""
    text = (
        f"requests are counted under baseline {baseline}, and its reference was not kept, so nothing is compared: "
        "deploy the endpoint again"
    )
    return Finding("reference", text, baseline)


def day_columns(streams: EndpointStreams, recent: Block) -> list[dict[str, Any]]:
    """Every counted column with its bins in the reference and in the last day, as shares."""
    return [
        {
            "column": streams.name_of(column),
            "role": column.role,
            "tested": streams.name_of(column) in streams.streams.columns,
            "before": column_shares(column, column.counts, column.total),
            "now": column_shares(column, counts, recent.rows * column.values),
        }
        for column, counts in streams.monitored.by_column(recent.counts)
    ]
