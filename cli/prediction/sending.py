"""Calls a deployed endpoint over HTTP, repeats what may succeed later, and puts errors into words."""

import json
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from serinus.cli.errors import CliError
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.signature import Signature

if TYPE_CHECKING:
    import httpx

    from serinus.cli.request_auth import RequestAuth

#: Errors that are printed one by one.
LISTED_ERRORS = 10
#: Real seconds before each repetition: half a minute in all.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_LONGEST_PAUSE_S = 60.0
#: A throttle, a gateway's or a function's passing failure. A prediction changes nothing, so it may be repeated.
_REPEATED = frozenset({429, 502, 503, 504})
#: API Gateway's message for a used-up quota, which lasts for days; a throttle is "Too Many Requests".
_QUOTA = "Limit Exceeded"
_PATIENCE_S = 60.0


class EndpointRefusal(CliError):
    """The endpoint answered ``status`` and ``body`` at ``url``, to rows that are numbered from ``first_row``."""

    def __init__(self, message: str, *, url: str, status: int, body: bytes, first_row: int) -> None:
        super().__init__(message)
        self.url, self.status, self.body, self.first_row = url, status, body, first_row


class RequestTooLarge(EndpointRefusal):
    """The endpoint refused the number of rows or bytes of a request, or of its response; fewer rows may fit."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What an endpoint serves, as its GET /model describes it, and what one request may hold."""

    signature: Signature
    max_rows: int
    max_body_bytes: int


class EndpointClient:
    """Calls the endpoint at ``base``. ``use_proxy`` honours the shell's proxy variables; ``report`` is called with
    a sentence before each wait."""

    def __init__(
        self,
        base: str,
        auth: "RequestAuth",
        *,
        use_proxy: bool = False,
        report: Callable[[str], None] = lambda _: None,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        import httpx

        self._base, self._auth, self._report, self._pauses_s = base, auth, report, tuple(pauses_s)
        self._http = httpx.Client(timeout=_PATIENCE_S, trust_env=use_proxy)
        self._has_answered = False

    def __enter__(self) -> "EndpointClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def describe(self) -> ServedModel:
        """The served model; raises `CliError` if the endpoint does not describe it."""
        described = self._request("GET", "/model", b"")
        try:
            limits = described["limits"]
            signature = Signature.from_json(described["signature"])
            return ServedModel(signature, int(limits["max_rows"]), int(limits["max_body_bytes"]))
        except (KeyError, TypeError, ContractError) as error:
            raise CliError(f"{self._base}/model does not describe a model of serinus: {error!r}") from error

    def predict(self, rows: Sequence[Any], first_row: int = 0) -> dict[str, Any]:
        """The response to ``rows``; errors number them from ``first_row`` on. Raises `RequestTooLarge` where fewer
        rows may succeed, and `CliError` for any other failure."""
        return self.post(encode(rows, first_row), first_row)

    def post(self, body: bytes, first_row: int = 0) -> dict[str, Any]:
        """As `predict`, of rows that are encoded already."""
        return self._request("POST", "/predict", body, first_row)

    def _request(self, method: str, path: str, body: bytes, first_row: int = 0) -> dict[str, Any]:
        import httpx

        url, pauses = f"{self._base}{path}", list(self._pauses_s)
        while True:
            try:
                # Signed anew each time: a signature is valid for minutes.
                headers = self._auth.headers(url, body, method)
                response = self._http.request(method, url, content=body or None, headers=headers)
            except httpx.TransportError as error:
                # An endpoint that never answered is not there.
                if not self._has_answered or not pauses:
                    raise CliError(f"{self._base} did not answer: {error}") from error
                self._pause(pauses.pop(0), f"{self._base} did not answer ({error})")
                continue
            self._has_answered = True
            if response.status_code == httpx.codes.OK:
                return _parse(url, response)
            if not pauses or not _may_succeed_later(response):
                raise _to_error(url, response, first_row)
            self._pause(_pause_of(response, pauses.pop(0)), f"the endpoint answered {response.status_code}")

    def _pause(self, pause_s: float, reason: str) -> None:
        pause_s *= random.uniform(0.8, 1.2)  # so that several callers do not return at once
        self._report(f"{reason}; trying again in {pause_s:.1f} s")
        time.sleep(pause_s)


def encode(rows: Sequence[Any], first_row: int = 0) -> bytes:
    """The body of a request of ``rows``; raises `CliError`, which numbers rows from ``first_row`` on, for a number
    that JSON does not have."""
    try:
        return json.dumps({"rows": rows}, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        for number, row in enumerate(rows, first_row):
            fields = row.items() if isinstance(row, dict) else enumerate(row if isinstance(row, list) else [row])
            for name, value in fields:
                if not _is_json(value):
                    raise CliError(describe_infinite(number, name, value)) from error
        raise


def describe_infinite(row: int, name: object, value: object) -> str:
    """That the value of a row is an infinite number, or none, and what to do."""
    return f"row {row}: {name} is {value}, which JSON does not have. Leave it out, or null, where it is missing."


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _parse(url: str, response: "httpx.Response") -> dict[str, Any]:
    try:
        parsed = response.json()
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise CliError(f"{url} did not answer with a JSON object: {response.text[:200]}")
    return parsed


def _may_succeed_later(response: "httpx.Response") -> bool:
    return response.status_code in _REPEATED and _QUOTA not in response.text


def _pause_of(response: "httpx.Response", planned_s: float) -> float:
    """The pause that the response names in seconds, within reason, or the planned one."""
    named = response.headers.get("retry-after", "")
    return min(float(named), _LONGEST_PAUSE_S) if named.isdecimal() else planned_s


def _to_error(url: str, response: "httpx.Response", first_row: int) -> EndpointRefusal:
    status = response.status_code
    kind = RequestTooLarge if status == 413 else EndpointRefusal
    message = f"{url} answered {status}:\n{_explain(response, first_row)}"
    return kind(message, url=url, status=status, body=response.content, first_row=first_row)


def _explain(response: "httpx.Response", first_row: int) -> str:
    try:
        problem = response.json()
    except ValueError:
        return response.text[:500]
    # API Gateway reports only here what is wrong with a token.
    description = re.search(r'error_description="([^"]*)"', response.headers.get("www-authenticate", ""))
    lines = [str(problem.get("detail") or problem.get("message") or problem)]
    errors = problem.get("errors", [])
    lines += [f"  {_describe(error, first_row)}" for error in errors[:LISTED_ERRORS]]
    if (more := len(errors[LISTED_ERRORS:]) + problem.get("errors_omitted", 0)) > 0:
        lines.append(f"  and {more} more")
    return "\n".join([*lines, *([description[1]] if description else [])])


def _describe(error: dict[str, Any], first_row: int) -> str:
    """An error of a problem document in one line; row, field and value are left out where they do not apply."""
    row = "" if error.get("row") is None else f"row {error['row'] + first_row}: "
    field = "" if error.get("field") is None else f"{error['field']} "
    value = "" if error.get("value") is None else f" (it is {json.dumps(error['value'], ensure_ascii=False)})"
    return f"{row}{field}{error.get('rule')}{value}"
