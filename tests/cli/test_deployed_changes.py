"""Changes that AWS makes only one by one are found before a deploy, against what the stack holds."""

from datetime import UTC, datetime
from typing import Any

import pytest

from serinus.cli.deployed_changes import clashes
from serinus.cli.endpoints import DeployedStack
from serinus.infra.settings import EndpointSettings

OLD, NEW = "a" * 64, "b" * 64
OUTPUTS = {"Front": "rest", "DomainUrl": "https://churn.example.com", "ModelVersion": OLD}


def found(settings: dict[str, Any], *, ready: int | None = None, pinned: str | None = OLD, **outputs: str) -> str:
    """The clashes with a stack of these ``outputs``, whose alias keeps ``ready`` environments."""
    alias: dict[str, Any] = {"Name": "live", "FunctionVersion": "1"}
    if ready is not None:
        alias["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": ready}
    template = {
        "Resources": {
            "Other": {"Type": "AWS::SNS::Topic"},
            "Alias": {"Type": "AWS::Lambda::Alias", "Properties": alias},
        }
    }
    deployed = DeployedStack("shop-prod-churn", "UPDATE_COMPLETE", OUTPUTS | outputs, datetime.now(UTC))
    return " ".join(clashes(EndpointSettings.model_validate(settings), deployed, template, pinned))


HTTP = {"front": "http", "auth": "public"}
DOMAIN = {"domain": {"name": "churn.example.com"}}
KEPT_READY = {"cold_start": "provisioned", "provisioned": {"environments": 3}}


def test_a_front_does_not_change_under_its_domain() -> None:
    said = found(HTTP | DOMAIN)
    assert 'front changes from "rest" to "http" and the domain churn.example.com stays' in said
    assert "Remove [endpoint.NAME.domain] and deploy, change front and deploy, then add the domain again" in said


@pytest.mark.parametrize(
    ("settings", "outputs"),
    [
        (DOMAIN, {}),  # no change of front
        (HTTP, {}),  # the domain goes, which is the first step
        (HTTP | {"domain": {"name": "other.example.com"}}, {}),
        (HTTP | DOMAIN, {"Front": "http"}),
        (HTTP | DOMAIN, {"DomainUrl": ""}),
    ],
)
def test_each_step_alone_is_deployed(settings: dict[str, Any], outputs: dict[str, str]) -> None:
    assert found(settings, **outputs) == ""


@pytest.mark.parametrize(
    ("settings", "ready", "change"),
    [(KEPT_READY, 1, "from 1 to 3"), (KEPT_READY, None, "from 0 to 3"), ({}, 2, "from 2 to 0")],
)
def test_the_number_of_ready_environments_does_not_change_with_the_bundle(
    settings: dict[str, Any], ready: int | None, change: str
) -> None:
    assert f"{change} and the bundle to {NEW[:12]}" in found(settings, ready=ready, pinned=NEW)
    assert found(settings, ready=ready, pinned=OLD) == ""


def test_without_the_template_only_outputs_are_compared() -> None:
    deployed = DeployedStack("shop-prod-churn", "UPDATE_COMPLETE", OUTPUTS, datetime.now(UTC))

    def clashes_of(settings: dict[str, Any]) -> list[str]:
        return list(clashes(EndpointSettings.model_validate(settings), deployed, None, NEW))

    assert clashes_of(KEPT_READY) == []
    assert len(clashes_of(HTTP | DOMAIN)) == 1


@pytest.mark.parametrize("pinned", [NEW, None])
def test_a_bundle_changes_while_the_number_stays(pinned: str | None) -> None:
    assert found(KEPT_READY, ready=3, pinned=pinned) == ""
    assert found({}, pinned=pinned) == ""
