"""Whatever calls out does so through the seams that keep the shell's proxies and AWS settings off this machine.

The search is of kinds, not of cases: a client that is made elsewhere fails here, with its place.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

# One group: each process would parse every file anew.
pytestmark = pytest.mark.xdist_group("outward calls")

ROOT = Path(__file__).parents[1]
ROOMS = ("cli", "offline", "serinus", "examples", "benchmarks", "scripts")
#: What makes a client of HTTP or sends by one; each must say itself whether the shell's proxies count.
HTTP_CLIENTS = {
    f"httpx.{name}"
    for name in ("get", "post", "put", "patch", "delete", "head", "request", "stream", "Client", "AsyncClient")
}
#: What reads the shell's settings for AWS, by the places that mean AWS itself, with the user's own credentials.
AWS_SESSIONS = {"boto3.client", "boto3.resource", "boto3.Session", "boto3.session.Session"}
AWS_SESSIONS |= {"botocore.session.get_session", "botocore.session.Session"}
MEAN_AWS = {
    "cli/target.py": {"CloudTarget.region_name", "CloudTarget.client"},
    "cli/request_auth.py": {"_signer"},
    "cli/commands/bundles.py": {"_s3"},
    "cli/commands/deploy.py": {"_has_aws_credentials"},
    "cli/commands/doctor.py": {"_aws_client", "_credentials"},
    "offline/client/session.py": {"isolated_session"},
}
#: What takes proxies from the variables with no way to say otherwise, or by default.
NEVER = {
    "urllib.request.urlopen",
    "urlopen",
    "requests.get",
    "requests.post",
    "requests.request",
    "requests.Session",
}


@cache
def calls() -> list[tuple[str, str, ast.Call, str]]:
    """Every call in the rooms: file, the function that it is in, the call, and the name that is called."""
    return [
        (file, inside, call, ast.unparse(call.func))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for file, inside, call in _calls(str(path.relative_to(ROOT)), (), ast.parse(path.read_text()))
    ]


def _calls(file: str, inside: tuple[str, ...], node: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield file, ".".join(inside), child
        named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from _calls(file, (*inside, child.name) if named else inside, child)


def keywords(call: ast.Call) -> dict[str | None, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords}


def test_every_client_of_http_says_whether_the_shells_proxies_count() -> None:
    silent = [
        f"{file}:{call.lineno}"
        for file, _, call, name in calls()
        if name in HTTP_CLIENTS and "trust_env" not in keywords(call)
    ]
    assert silent == []


def test_only_an_endpoint_on_aws_is_called_through_a_proxy() -> None:
    trusting = [
        (file, ast.unparse(keywords(call)["trust_env"]))
        for file, _, call, _ in calls()
        if "trust_env" in keywords(call) and ast.unparse(keywords(call)["trust_env"]) != "False"
    ]
    assert trusting == [
        ("cli/account_check/metric_delays.py", "use_proxy"),
        ("cli/prediction/sending.py", "use_proxy"),
    ]


def test_only_what_means_aws_reads_the_shells_settings_for_it() -> None:
    found = [(file, inside, call.lineno) for file, inside, call, name in calls() if name in AWS_SESSIONS]
    elsewhere = [one for one in found if one[1] not in MEAN_AWS.get(one[0], set())]
    assert elsewhere == []
    assert {file for file, _, _ in found} == MEAN_AWS.keys()


def test_nothing_calls_by_what_always_takes_the_shells_proxies() -> None:
    assert [f"{file}:{call.lineno}" for file, _, call, name in calls() if name in NEVER] == []
