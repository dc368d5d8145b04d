"""Whole endpoints, as the stock CDK CLI deploys them: the right call gets the right prediction, a wrong one AWS's
refusal; bodies and answers compressed, and preflights answered, whichever API is in front."""

import gzip
import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.credentials import Credentials

from serinus.cli.dev_tokens import dev_token, sign_dev_token
from serinus.cli.errors import CliError
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.traffic import Load, Traffic
from serinus.cli.rehearse.workspace import create_workspace
from serinus.cli.request_auth import BearerTokenAuth, NoAuth, RequestAuth, SignatureAuth
from serinus.infra.settings import load_settings

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("access")]

ALL = ["http-iam", "http-jwt", "http-public", "rest-iam", "rest-public"]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "http.md"
PAGE = "https://app.example"


@pytest.mark.parametrize("name", ALL)
def test_the_right_call_gets_the_right_prediction(shop: Any, name: str) -> None:
    body = json.dumps({"rows": shop.rows()}).encode()
    answer = shop.post(name, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["probabilities"] == shop.source_probabilities()


@pytest.mark.parametrize("name", ["http-iam", "rest-iam"])
def test_who_did_not_sign_or_may_not_call_is_refused(shop: Any, name: str) -> None:
    region = shop.target.cloud.region
    assert shop.post(name, b"{}", NoAuth()).status_code == 403
    key = shop.target.cloud.key
    guessed = Credentials(key.access_key_id, "guessed")
    assert shop.post(name, b"{}", SignatureAuth(guessed, region)).status_code == 403
    assert shop.post(name, b"{}", SignatureAuth(key.credentials(), "eu-west-1")).status_code == 403
    user = f"stranger-{name}"
    iam = shop.target.client("iam")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    stranger = SignatureAuth(Credentials(key["AccessKeyId"], key["SecretAccessKey"]), region)
    assert shop.post(name, b"{}", stranger).status_code == 403
    allowed = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=user, PolicyName="call", PolicyDocument=document)
    # Let in, and refused by the model: there are no rows.
    assert shop.post(name, b"{}", stranger).status_code == 422


def test_who_has_no_good_token_is_refused(shop: Any) -> None:
    known = {"issuer": "https://login.invalid/pool", "audience": "serving", "scopes": ("predict",)}

    def token(**changes: Any) -> str:
        return sign_dev_token(shop.target.cloud, **(known | changes))

    def status(token: str) -> int:
        answer: httpx.Response = shop.post("http-jwt", b"{}", BearerTokenAuth(token))
        return answer.status_code

    assert shop.post("http-jwt", b"{}", NoAuth()).status_code == 401
    assert status("a.b.c") == 401
    assert status(f"{token()[:-6]}AAAAAA") == 401
    assert status(token(audience="other")) == 401
    assert status(token(scopes=("read",))) == 403
    assert status(token(scopes=("admin",))) == status(token()) == 422


def test_above_its_rate_a_public_endpoint_throttles(shop: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(shop.post, "http-public", b"{}", patient=False) for _ in range(80)]
    assert {one.result().status_code for one in asked} == {422, 429}


class Untyped:
    """Shows what ``caller`` does, and says nothing of the body's type."""

    def __init__(self, caller: RequestAuth) -> None:
        self._caller = caller

    def headers(self, url: str, body: bytes, method: str = "POST") -> dict[str, str]:
        shown = self._caller.headers(url, body)
        return {name: value for name, value in shown.items() if name != "content-type"}


def test_a_domain_leads_to_the_endpoint_and_a_web_acl_bounds_each_address(shop: Any) -> None:
    body = json.dumps({"rows": shop.rows()}).encode()
    at_domain = f"{shop.target.cloud.url}/predict"
    shown = shop.caller("rest-guarded").headers(at_domain, body) | {"host": "tumours.example.com"}
    answers = [
        shop.post("rest-guarded", body),
        httpx.post(at_domain, content=body, headers=shown, trust_env=False, timeout=60),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.json()["probabilities"] == shop.source_probabilities()
    assert shop.post("rest-guarded", body, NoAuth()).status_code == 403
    # Now with its key: what is refused is refused by the web ACL, at either address.
    statuses = [shop.post("rest-guarded", b"{}").status_code for _ in range(12)]
    assert statuses == [422] * 9 + [403] * 3
    assert httpx.post(at_domain, content=body, headers=shown, trust_env=False).status_code == 403


@pytest.mark.parametrize("name", ["http-jwt", "rest-iam", "rest-public"])
def test_bodies_and_answers_may_be_compressed(shop: Any, name: str) -> None:
    body = gzip.compress(json.dumps({"rows": shop.rows() * 20}).encode())
    caller = Untyped(shop.caller(name)) if name.startswith("http") else shop.caller(name)
    answer = shop.post(name, body, caller, content_encoding="gzip", accept_encoding="gzip")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["probabilities"] == shop.source_probabilities() * 20


def test_a_compressed_body_that_was_taken_for_text_is_explained(shop: Any) -> None:
    body = gzip.compress(b'{"rows": []}')
    answer = shop.post("http-jwt", body, content_encoding="gzip")
    assert answer.status_code == 400
    assert "without Content-Type" in answer.json()["detail"]


@pytest.mark.parametrize("name", ALL)
def test_preflights_need_nothing_and_answers_can_be_read(shop: Any, name: str) -> None:
    url = f"{shop.endpoints[name].url}/predict"
    candidates = {"origin": PAGE, "access-control-request-method": "POST"}
    asked = {**candidates, "access-control-request-headers": "authorization,content-type"}
    preflight = httpx.options(url, headers=asked, trust_env=False)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert "POST" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert "content-type" in allowed
    assert ("authorization" in allowed) is (not name.endswith("public"))
    other = httpx.options(url, headers={**asked, "origin": "https://other.example"}, trust_env=False)
    assert other.headers.get("access-control-allow-origin") != "https://other.example"
    answer = shop.post(name, b"{}", origin=PAGE)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (422, PAGE)
    assert "x-serinus-model-version" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("name", "schemes"),
    [("http-iam", ["sigv4"]), ("http-jwt", ["jwt"]), ("rest-iam", ["sigv4"]), ("rest-public", [])],
)
def test_the_documentation_is_open_and_says_what_to_show(shop: Any, name: str, schemes: list[str]) -> None:
    answer = httpx.get(f"{shop.endpoints[name].url}/openapi.json", trust_env=False, timeout=60)
    assert answer.status_code == 200
    assert list(answer.json()["components"]["securitySchemes"]) == schemes
    (server,) = answer.json()["servers"]
    assert shop.endpoints[name].url.endswith(server["url"].rstrip("/"))


def examples(auth: str) -> list[tuple[str, str]]:
    """The examples of docs/http.md for one kind of access, as (language, code)."""
    text = DOCUMENT.read_text()
    begins = text.index(f'`auth = "{auth}"`')
    section = text[begins : text.index("\n###", begins)]
    return re.findall(r"```(bash|python)\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize(("name", "auth"), [("http-iam", "iam"), ("rest-iam", "iam"), ("http-jwt", "jwt")])
def test_the_documents_examples_are_answered(shop: Any, name: str, auth: str) -> None:
    row = json.dumps(shop.rows()[0])
    variables = {"URL": shop.endpoints[name].url, "NO_PROXY": "127.0.0.1", "SERINUS_TOKEN": shop.token()}
    answered = []
    for language, code in examples(auth):
        code = code.replace('{"tenure": 2, "charge": 95.5, "contract": "monthly"}', row).replace("churn", name)
        command = ("bash", "-ec", code) if language == "bash" else (sys.executable, "-c", code)
        done = shop.run(*command, **variables)
        assert done.returncode == 0, done.stderr
        answered.append(language)
        if language == "bash":
            assert json.loads(done.stdout)["probabilities"] == shop.source_probabilities()[:1], done.stdout
    assert answered == ["bash", "python"]


@pytest.mark.parametrize("name", ["http-iam", "rest-public"])
def test_the_command_line_predicts(shop: Any, name: str) -> None:
    done = shop.serinus("predict", name, "--data", "training/rows.json", "--local", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["probabilities"] == shop.source_probabilities()


def test_the_command_line_predicts_with_a_token_and_never_shows_it(shop: Any) -> None:
    asked = ("predict", "http-jwt", "--data", "training/rows.json", "--local", "--json")
    token = shop.serinus("local", "token", "http-jwt").stdout.strip()
    good = shop.serinus(*asked, SERINUS_TOKEN=token)
    assert good.returncode == 0, good.stderr
    assert token not in good.stdout + good.stderr
    wrong = shop.serinus("--debug", *asked, SERINUS_TOKEN=token[:-6] + "AAAAAA")
    assert wrong.returncode == 1
    assert "answered 401" in wrong.stderr
    assert token[:-6] not in wrong.stdout + wrong.stderr


def test_an_endpoint_that_takes_no_tokens_gets_none(shop: Any) -> None:
    settings = load_settings(shop.folder / "serinus.toml", "local")
    chosen = next(one for one in settings.endpoints if one.name == "rest-iam")
    with pytest.raises(CliError, match='rest-iam does not use tokens: it has auth = "iam"'):
        dev_token(shop.target.cloud, chosen)


@pytest.mark.parametrize("name", ["http-jwt", "rest-iam", "rest-public"])
def test_a_rehearsals_traffic_is_let_in(shop: Any, name: str) -> None:
    rows = shop.rows()
    load = Load(shop.endpoints[name].url, shop.caller(name), rows, rate_per_s=20.0, seed=1)
    traffic = Traffic(load, CloudTime(shop.target.cloud.own_api()))
    traffic.start()
    time.sleep(0.5)
    traffic.stop()
    assert {one.status for one in traffic.results} == {200}
    assert len(traffic.results) > 1


def test_a_rehearsal_runs_into_no_limit_and_needs_no_domain(shop: Any) -> None:
    with create_workspace(shop.folder, "local", "rest-guarded", candidates={}, rate=500.0) as scratch:
        (rehearsed,) = load_settings(scratch.stable.project / "serinus.toml", "local").endpoints
    chosen = rehearsed.settings
    assert (chosen.waf.ip_rate_limit, chosen.waf.count_only) == (12, True)
    assert (chosen.domain.name, chosen.rate_limit_per_s) == (None, 1000)


def test_status_and_key_say_what_callers_show(shop: Any) -> None:
    told = shop.serinus("status", "--local")
    assert told.stdout.count("callers  an AWS signature") == 2
    assert "callers  no authentication: anyone may call it; HTTP API" in told.stdout
    key = shop.serinus("key", "http-jwt", "--local")
    assert key.returncode == 1
    assert "http-jwt has no API keys: it requires a token of its issuer" in key.stderr
