"""Where a request may come from: programs on this machine, and this cloud's own page."""

import socket
from collections.abc import Callable

import httpx
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from serinus.offline.client.own_api import OwnApi
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.guard import Guard, is_loopback, name_in
from serinus.offline.core.root_key import RootKey

Ask = Callable[..., httpx.Response]
#: AWS's APIs, the library's below, this cloud's own.
PATHS = ["/", "/bucket/key", "/2015-03-31/functions", "/moto-api/data.json", "/_offline/", "/_offline/health"]
PATHS += ["/_offline/clock", "/_offline/console/overview", "/_offline/console/app.js", "/_offline/lambda/workers"]


@pytest.fixture
def ask(cloud: Cloud) -> Ask:
    """A request that is signed as its owner would."""

    def send(method: str, path: str, **headers: str) -> httpx.Response:
        api = OwnApi(cloud.config.endpoint_url, cloud.config.root_key)
        if path.startswith("/_offline"):
            body = {"factor": cloud.clock.factor} if method == "POST" else None
            return api.request(method, path.removeprefix("/_offline"), json=body, headers=headers)
        return httpx.request(method, cloud.config.endpoint_url + path, headers=headers, trust_env=False)

    return send


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:4577", "localhost.evil", "10.0.0.1", ""])
def test_a_name_that_was_made_to_resolve_here_is_refused(ask: Ask, path: str, host: str) -> None:
    refused = ask("GET", path, host=host)
    assert refused.status_code == 403
    assert "127.0.0.1 or localhost" in refused.json()["message"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:4577", "127.0.0.1:1", "127.8.8.8", "[::1]:4577", "b.localhost"]
)
def test_every_loopback_name_is_let_in(ask: Ask, host: str) -> None:
    assert ask("GET", "/_offline/health", host=host).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9", "http://localhost:3000", ""]
)
def test_a_page_elsewhere_gets_nothing(ask: Ask, path: str, origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        refused = ask(method, path, origin=origin)
        assert refused.status_code == 403
        assert repr(origin) in refused.json()["message"]
        assert not [name for name in refused.headers if name.startswith("access-control")]


def test_programs_and_the_clouds_own_page_do(ask: Ask, cloud: Cloud) -> None:
    assert ask("POST", "/_offline/clock").status_code == 200
    assert ask("POST", "/_offline/clock", origin=cloud.config.endpoint_url).status_code == 200


def test_no_answer_lets_other_pages_read_it(ask: Ask) -> None:
    for path in PATHS:
        answer = ask("GET", path)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/_offline/") and "." not in path][2:])
def test_the_clouds_own_api_is_for_who_has_its_key(cloud: Cloud, path: str) -> None:
    url = cloud.config.endpoint_url
    assert OwnApi(url, cloud.config.root_key).get(path.removeprefix("/_offline")).status_code == 200
    for refused in (
        httpx.get(url + path, trust_env=False),
        OwnApi(url, RootKey.new()).get(path.removeprefix("/_offline")),
        OwnApi(url, RootKey(cloud.config.root_key.access_key_id, "guessed")).get(path.removeprefix("/_offline")),
    ):
        assert refused.status_code == 403
        assert "for its owner alone" in refused.json()["message"]


def test_a_functions_role_is_not_the_owner(cloud: Cloud, aws, deploy_function) -> None:
    """What runs in the cloud is kept from its clock and its faults, as from the machine's."""
    import json

    name = deploy_function(
        "import os\ndef handler(event, context):\n"
        "    return [os.environ[f'AWS_{name}'] for name in ('ACCESS_KEY_ID', 'SECRET_ACCESS_KEY')]\n"
    )
    key = RootKey(*json.loads(aws("lambda").invoke(FunctionName=name)["Payload"].read()))
    assert OwnApi(cloud.config.endpoint_url, key).get("/clock").status_code == 403


def test_the_page_runs_scripts_of_its_own_alone_and_fits_no_frame(ask: Ask) -> None:
    page = ask("GET", "/_offline/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("file", ["nothing.js", "routes.py", "%2e%2e%2froutes.py", "page"])
def test_only_the_pages_own_files_are_served(ask: Ask, file: str) -> None:
    assert ask("GET", f"/_offline/console/{file}").status_code in (403, 404)
    assert "import" not in ask("GET", f"/_offline/console/{file}").text


def test_numbers_that_are_none_are_no_error(ask: Ask) -> None:
    path = "/_offline/console/requests"
    assert ask("GET", f"{path}?after=x").json() == ask("GET", path).json()
    assert ask("GET", f"{path}/999999999").status_code == 404


def test_the_address_without_its_slash_leads_to_the_page(ask: Ask) -> None:
    assert ask("GET", "/_offline").headers["location"] == "/_offline/"


@pytest.mark.parametrize(
    ("host", "name", "loopback"),
    [
        ("127.0.0.1:80", "127.0.0.1", True),
        ("[::1]:80", "::1", True),
        ("localhost", "localhost", True),
        ("Bucket.LocalHost:80", "Bucket.LocalHost", True),
        ("::1", "", False),
        ("localhost.evil:80", "localhost.evil", False),
        ("evillocalhost", "evillocalhost", False),
        ("", "", False),
    ],
)
def test_names_are_read_from_the_host(host: str, name: str, loopback: bool) -> None:
    assert name_in(host) == name
    assert is_loopback(name) is loopback


@pytest.mark.parametrize(
    ("listening", "host", "served"),
    [
        ("127.0.0.1", "192.168.1.2:4577", False),
        ("0.0.0.0", "192.168.1.2:4577", True),
        ("0.0.0.0", "evil.example:4577", False),
        ("devbox", "devbox:4577", True),
        ("devbox", "evil.example:4577", False),
    ],
)
@pytest.mark.anyio
async def test_a_cloud_at_every_address_answers_to_addresses_and_to_no_name(
    listening: str, host: str, served: bool
) -> None:
    async def app(scope, receive, send) -> None:
        reached.append(scope["path"])

    async def send(message) -> None:
        """Nobody looks at the refusal."""

    reached: list[str] = []
    scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"host", host.encode())]}
    await Guard(app, listening)(scope, send, send)
    assert bool(reached) is served


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4577@evil.com", "[::1]evil.com", "evil.com#.localhost", "evil.com/.localhost", "127.0.0.1:x"],
)
def test_a_host_of_another_form_is_no_name(host: str) -> None:
    assert name_in(host) == ""


def test_a_head_that_does_not_end_is_cut_off(cloud: Cloud) -> None:
    with socket.create_connection(("127.0.0.1", cloud.config.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for number in range(32_000):  # far beyond what the kernel holds for a server that is slow to read
            try:
                connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1000))
            except OSError:
                break
        else:
            pytest.fail("32 megabytes of headers were taken")


@pytest.mark.parametrize("path", ["/_offline/clock", "/bucket/key", "/a%0Ab"])
def test_a_connection_is_of_use_after_a_refused_upload(cloud: Cloud, path: str) -> None:
    with httpx.Client(base_url=cloud.config.endpoint_url, trust_env=False) as client:
        for _ in range(4):
            refused = client.put(path, content=b"GET / HTTP/1.1\r\n\r\n" * 1000)
            assert refused.status_code == 403


def test_a_signed_address_opens_nothing_of_the_clouds_own(cloud: Cloud) -> None:
    request = AWSRequest("GET", f"{cloud.config.endpoint_url}/_offline/clock")
    SigV4QueryAuth(cloud.config.root_key.credentials(), "offline", "us-east-1").add_auth(request)
    refused = httpx.get(request.url, trust_env=False)
    assert (refused.status_code, "in the address" in refused.text) == (403, True)
