"""`serinus status` is useful before anything is deployed, and when nothing answers."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from serinus.cli.commands.status import lines_of
from serinus.cli.overview import DeployedEndpoint, EndpointOverview, ServedVersion
from serinus.cli.release_reader import Alarm, AliasDeployment

SHOP = '[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.spam]\n'
PIN = "3f2a9c0011aa" + "0" * 52


@pytest.fixture
def shop(project: Path) -> Path:
    (project / "serinus.toml").write_text(SHOP)
    (project / "serinus.lock").write_text(
        f'[dev.churn]\nversion = "{PIN}"\nbundle = "bundles/churn/3f2a9c0011aa"\n'
    )
    return project


def test_without_a_cloud_it_says_so_and_what_is_pinned(serinus: Callable[..., Any], shop: Path) -> None:
    done = serinus("status", "--local", cwd=shop)
    assert done.returncode == 1
    assert "`serinus local up` starts one" in done.stderr
    assert done.stdout.splitlines() == [
        "churn  deployment unknown; 3f2a9c0011aa is pinned",
        "spam  deployment unknown; no model is pinned",
    ]


def test_as_data_it_is_one_document_even_then(serinus: Callable[..., Any], shop: Path) -> None:
    done = serinus("status", "churn", "--local", "--json", cwd=shop)
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert "no offline cloud" in said["trouble"]
    assert [(one["name"], one["pinned_version"], one["deployed"]) for one in said["endpoints"]] == [
        ("churn", PIN, None)
    ]


def test_an_endpoint_that_is_not_there_is_an_error(serinus: Callable[..., Any], shop: Path) -> None:
    done = serinus("status", "chrun", "--local", cwd=shop)
    assert done.returncode == 1
    assert "no endpoint 'chrun'" in done.stderr


def deployed(**changes: Any) -> EndpointOverview:
    alarms = (
        Alarm("a-verdict", "ALARM", 0.0, "crossed", "The judge says: roll back."),
        Alarm("a-errors", "OK", 0.0, "", ""),
    )
    release = AliasDeployment("d-1", "InProgress", "6", "7", 0.0, None, ())
    served = (ServedVersion("6", 0.9, "churn 3f2a9c0011aa"), ServedVersion("7", 0.1, "churn 77aa00112233"))
    known = {"front": "rest", "auth": "api_key", "key_id": "k123", "release": release, "alarms": alarms} | changes
    found = DeployedEndpoint(
        status="UPDATE_IN_PROGRESS",
        url="https://api.example/live",
        model_version="77" * 32,
        versions=served,
        changed_at=datetime(2026, 11, 25, 12, tzinfo=UTC),
        **known,
    )
    return EndpointOverview("churn", "shop-dev-churn", PIN, found)


def test_a_deployed_endpoint_is_told_line_by_line() -> None:
    told = "\n".join(lines_of(deployed(), flags=" --local", reachable=True))
    for part in (
        "https://api.example/live",
        "777777777777; serinus.lock pins 3f2a9c0011aa, deploy to serve it",
        "version 6 (churn 3f2a9c0011aa) 90%, version 7 (churn 77aa00112233) 10%",
        "release d-1 of version 7 over 6 is under way",
        "1 ALARM, 1 OK: The judge says: roll back.",
        "callers  an API key in the header x-api-key: k123 (`serinus key churn --local` shows it); REST API",
        "shop-dev-churn UPDATE_IN_PROGRESS, deployed 2026-11-25 12:00:00",
    ):
        assert part in told


def test_what_it_has_not_is_said() -> None:
    told = "\n".join(lines_of(deployed(release=None, alarms=()), flags=" --local", reachable=True))
    for part in ("release  none by CodeDeploy yet", "alarms   none"):
        assert part in told


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ("iam", "an AWS signature"),
        ("jwt", "a token of its issuer"),
        ("public", "no authentication: anyone may call it"),
    ],
)
def test_what_callers_show_where_there_is_no_key(auth: str, words: str) -> None:
    told = "\n".join(lines_of(deployed(front="http", auth=auth, key_id=None), flags=" --local", reachable=True))
    (line,) = (line for line in told.splitlines() if line.startswith("  callers"))
    assert words in line
    assert line.endswith("; HTTP API")
    assert "serinus key" not in told


def test_a_newer_bundle_that_is_not_pinned_is_shown(shop: Path) -> None:
    told = "\n".join(lines_of(replace(deployed(), candidate="c" * 64), flags=" --local", reachable=True))
    assert "next     cccccccccccc is packaged, newer than the pinned bundle and not pinned" in told
    assert "next" not in "\n".join(lines_of(deployed(), flags=" --local", reachable=True))


def test_what_is_not_deployed_comes_with_the_command_that_does_it() -> None:
    (line,) = lines_of(EndpointOverview("churn", "shop-local-churn", PIN), flags=" --local", reachable=True)
    assert line == "churn  not deployed; 3f2a9c0011aa is pinned. `serinus deploy churn --local`"
