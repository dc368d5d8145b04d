"""The cloud's own API answers programs on this machine and its own page, and no other page in a browser."""

from collections.abc import Callable

import httpx
import pytest

from offline.cloud.cloud import Cloud
from offline.cloud.guard import is_loopback, name_in

Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(cloud: Cloud) -> Ask:
    def send(method: str, path: str, **headers: str) -> httpx.Response:
        url = f"{cloud.config.endpoint_url}/_offline{path}"
        body = {"factor": cloud.clock.factor} if method == "POST" else None
        return httpx.request(method, url, headers=headers, json=body, trust_env=False)

    return send


@pytest.mark.parametrize("path", ["/", "/health", "/clock", "/console/overview", "/lambda/workers"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:4577", "10.0.0.1", ""])
def test_a_name_that_was_made_to_resolve_here_is_refused(ask: Ask, path: str, host: str) -> None:
    refused = ask("GET", path, host=host)
    assert refused.status_code == 403
    assert "127.0.0.1 or localhost" in refused.json()["message"]


@pytest.mark.parametrize("host", ["localhost", "localhost:4577", "127.0.0.1:1", "127.8.8.8", "[::1]:4577"])
def test_every_loopback_name_is_let_in(ask: Ask, host: str) -> None:
    assert ask("GET", "/console/overview", host=host).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9"])
def test_a_page_elsewhere_changes_nothing(ask: Ask, origin: str) -> None:
    refused = ask("POST", "/clock", origin=origin)
    assert refused.status_code == 403
    assert repr(origin) in refused.json()["message"]


def test_programs_and_the_clouds_own_page_do(ask: Ask, cloud: Cloud) -> None:
    assert ask("POST", "/clock").status_code == 200
    assert ask("POST", "/clock", origin=cloud.config.endpoint_url).status_code == 200


def test_the_page_runs_scripts_of_its_own_alone_and_fits_no_frame(ask: Ask) -> None:
    page = ask("GET", "/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("file", ["nothing.js", "routes.py", "%2e%2e%2froutes.py", "page"])
def test_only_the_pages_own_files_are_served(ask: Ask, file: str) -> None:
    assert ask("GET", f"/console/{file}").status_code == 404


def test_numbers_that_are_none_are_no_error(ask: Ask) -> None:
    assert ask("GET", "/console/requests?after=x").json() == ask("GET", "/console/requests").json()
    assert ask("GET", "/console/requests/999999999").status_code == 404


def test_the_address_without_its_slash_leads_to_the_page(ask: Ask) -> None:
    assert ask("GET", "").headers["location"] == "/_offline/"


@pytest.mark.parametrize(
    ("host", "name", "loopback"),
    [
        ("127.0.0.1:80", "127.0.0.1", True),
        ("[::1]:80", "::1", True),
        ("localhost", "localhost", True),
        ("::1", "", False),
        ("localhost.evil:80", "localhost.evil", False),
        ("", "", False),
    ],
)
def test_names_are_read_from_the_host(host: str, name: str, loopback: bool) -> None:
    assert name_in(host) == name
    assert is_loopback(name) is loopback
