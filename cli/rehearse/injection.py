"""What can be made wrong with a candidate, as `--inject` orders it."""

import re
from dataclasses import dataclass
from typing import Any

from cli.errors import CliError

USAGE = "errors=20%, latency=+300ms, wrong-answers, nan, crash or slow-init"
#: Share of live requests whose worker dies.
CRASH_RATE = 0.2
#: Real milliseconds that are added to each init: beyond twice what any of ours needs, below Lambda's 10 s.
SLOW_INIT_MS = 3000.0
#: Faults that need a bundle with a bad graph; the others the offline cloud makes up while requests run.
BAD_GRAPHS = ("wrong-answers", "nan")

_ORDER = re.compile(r"(?P<kind>[a-z-]+)(?:=(?P<amount>.+))?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_MILLISECONDS = re.compile(r"\+?(\d+(?:\.\d+)?)\s*(ms|s)")


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault on order. ``text`` is how it was ordered; ``fault`` what the offline cloud is told, empty where
    ``bad_graph`` names what is done to the model instead. With ``recycle`` the candidate's environments are taken
    away as the shift begins: the check before traffic has warmed them, and live requests would meet no init."""

    text: str
    fault: dict[str, Any]
    bad_graph: str | None = None
    recycle: bool = False


def parse(text: str) -> Injection:
    """The injection that ``text`` orders; `CliError` for one that there is not."""
    match = _ORDER.fullmatch(text.strip())
    kind, amount = (match["kind"], match["amount"]) if match else (text, None)
    if kind in BAD_GRAPHS and amount is None:
        return Injection(kind, {}, bad_graph=kind)
    if kind == "crash" and amount is None:
        return Injection(kind, {"crash_rate": CRASH_RATE, "alias_only": True})
    if kind == "slow-init" and amount is None:
        return Injection(kind, {"slow_init_ms": SLOW_INIT_MS}, recycle=True)
    if kind == "errors" and (percent := _PERCENT.fullmatch(amount or "")):
        return Injection(text.strip(), {"error_rate": _share(text, float(percent[1])), "alias_only": True})
    if kind == "latency" and (delay := _MILLISECONDS.fullmatch(amount or "")):
        milliseconds = float(delay[1]) * (1000 if delay[2] == "s" else 1)
        return Injection(text.strip(), {"latency_ms": milliseconds, "alias_only": True})
    raise CliError(f"--inject {text!r} is no fault that can be ordered; it is one of {USAGE}.")


def _share(text: str, percent: float) -> float:
    if not 0 < percent <= 100:
        raise CliError(f"--inject {text!r}: the share must be above 0 % and at most 100 %.")
    return percent / 100
