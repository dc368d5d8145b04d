"""The faults that `--inject` can give to a candidate."""

import re
from dataclasses import dataclass
from typing import Any

from serinus.cli.errors import WrongUsage

#: A delay beyond which API Gateway has long given up.
LONGEST_DELAY_MS = 30_000.0
USAGE = "errors=20%, latency=+300ms, wrong-answers, nan, crash or slow-init"
#: Share of live requests whose worker dies.
CRASH_RATE = 0.2
#: Real milliseconds that are added to each init: beyond twice what any of ours needs, below Lambda's 10 s.
SLOW_INIT_MS = 3000.0
#: Faults that need a bundle with a bad graph; the offline cloud injects the others while requests run.
BAD_GRAPHS = ("wrong-answers", "nan")

_FORMS = {
    "errors": "a share of requests in percent, such as errors=20%",
    "latency": "a delay in ms or s, such as latency=+300ms",
    "crash": "no amount: the worker crashes on a fifth of the requests",
    "slow-init": "no amount: each init takes three seconds longer",
    "wrong-answers": "no amount",
    "nan": "no amount",
}
_ORDER = re.compile(r"(?P<kind>[a-z-]+)(?:=(?P<amount>.+))?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_MILLISECONDS = re.compile(r"\+?(\d+(?:\.\d+)?)\s*(ms|s)")


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault to inject. ``text`` is the option's value; ``fault`` the offline cloud's settings for it, empty
    where ``bad_graph`` names what is done to the model instead. With ``recycle`` the candidate's environments are
    removed every minute of the shift: the pre-traffic check has warmed them, and live requests would wait for no
    init."""

    text: str
    fault: dict[str, Any]
    bad_graph: str | None = None
    recycle: bool = False


def parse(text: str) -> Injection:
    """The injection that ``text`` describes; raises `WrongUsage` for an unknown one."""
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
        return Injection(text.strip(), {"latency_ms": _delay_ms(text, *delay.groups()), "alias_only": True})
    raise WrongUsage(_refusal(text, kind))


def _share(text: str, percent: float) -> float:
    if not 0 < percent <= 100:
        raise WrongUsage(f"--inject {text!r}: the share must be above 0 % and at most 100 %.")
    return percent / 100


def _delay_ms(text: str, amount: str, unit: str) -> float:
    milliseconds = float(amount) * (1000 if unit == "s" else 1)
    if not 0 < milliseconds <= LONGEST_DELAY_MS:
        raise WrongUsage(f"--inject {text!r}: the delay must be above 0 ms and at most {LONGEST_DELAY_MS:.0f} ms.")
    return milliseconds


def _refusal(text: str, kind: str) -> str:
    if kind in _FORMS:
        return f"--inject {text!r}: {kind} takes {_FORMS[kind]}."
    return f"--inject {text!r} is not a fault; use one of {USAGE}."
