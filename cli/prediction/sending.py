"""Sends rows to a deployed endpoint over HTTP, and puts its errors into words."""

import json
import re
import time
from typing import TYPE_CHECKING, Any

from serinus.cli.errors import CliError

if TYPE_CHECKING:
    import httpx

    from serinus.cli.request_auth import RequestAuth

#: Errors that are printed one by one.
LISTED_ERRORS = 10


def send(
    base: str, auth: "RequestAuth", rows: list[Any], *, use_proxy: bool = False
) -> tuple[dict[str, Any], float]:
    """The response of the endpoint at ``base``, and the seconds it took; raises `CliError` with its error message.
    ``use_proxy`` honours the shell's proxy variables."""
    import httpx

    url, body = f"{base}/predict", json.dumps({"rows": rows}).encode()
    began = time.perf_counter()
    try:
        response = httpx.post(url, content=body, headers=auth.headers(url, body), timeout=60, trust_env=use_proxy)
    except httpx.TransportError as error:
        raise CliError(f"{base} did not answer: {error}") from error
    if response.status_code != httpx.codes.OK:
        raise CliError(f"{url} answered {response.status_code}:\n{_explain(response)}")
    parsed: dict[str, Any] = response.json()
    return parsed, time.perf_counter() - began


def _explain(response: "httpx.Response") -> str:
    try:
        problem = response.json()
    except ValueError:
        return response.text[:500]
    # API Gateway reports only here what is wrong with a token.
    description = re.search(r'error_description="([^"]*)"', response.headers.get("www-authenticate", ""))
    lines = [str(problem.get("detail") or problem.get("message") or problem)]
    errors = problem.get("errors", [])
    lines += [f"  {_describe(error)}" for error in errors[:LISTED_ERRORS]]
    if (more := len(errors[LISTED_ERRORS:]) + problem.get("errors_omitted", 0)) > 0:
        lines.append(f"  and {more} more")
    return "\n".join([*lines, *([description[1]] if description else [])])


def _describe(error: dict[str, Any]) -> str:
    """An error of a problem document in one line; row, field and value are left out where they do not apply."""
    row = "" if error.get("row") is None else f"row {error['row']}: "
    field = "" if error.get("field") is None else f"{error['field']} "
    value = "" if error.get("value") is None else f" (it is {json.dumps(error['value'], ensure_ascii=False)})"
    return f"{row}{field}{error.get('rule')}{value}"
