import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.lambda_handlers.hooks import retire_versions
from serinus.lambda_handlers.hooks.errors import BadSetting, NotDeleted
from serinus.lambda_handlers.hooks.retire_versions import retire
from serinus.lambda_handlers.hooks.settings import read_settings

EVENT = {"detail": {"deploymentId": "d-ABCDEFGHI"}}
ENVIRON = {"SERINUS_FUNCTION": "shop-dev-churn", "SERINUS_ALIAS": "live", "SERINUS_KEEP_VERSIONS": "3"}


class Functions:
    """Lambda with published versions, two to a page, and aliases."""

    def __init__(self, versions: list[str], aliases: list[dict[str, Any]]) -> None:
        self.versions, self.aliases = versions, aliases

    def list_versions_by_function(self, *, FunctionName: str, Marker: str = "0") -> dict[str, Any]:
        start = int(Marker)
        listed = ["$LATEST", *self.versions]
        more = {"NextMarker": str(start + 2)} if start + 2 < len(listed) else {}
        return {"Versions": [{"Version": version} for version in listed[start : start + 2]], **more}

    def list_aliases(self, *, FunctionName: str) -> dict[str, Any]:
        return {"Aliases": self.aliases}

    def delete_function(self, *, FunctionName: str, Qualifier: str) -> None:
        self.versions.remove(Qualifier)


class CodeDeploy:
    """A deployment from version ``stable`` to version ``canary``."""

    def __init__(self, stable: str, canary: str) -> None:
        self.info = {
            "functionName": "shop-dev-churn",
            "functionAlias": "live",
            "currentVersion": stable,
            "targetVersion": canary,
        }

    def list_deployment_targets(self, **parameters: Any) -> dict[str, Any]:
        return {"targetIds": ["shop-dev-churn:live"]}

    def batch_get_deployment_targets(self, **parameters: Any) -> dict[str, Any]:
        return {"deploymentTargets": [{"lambdaTarget": {"lambdaFunctionInfo": self.info, "lifecycleEvents": []}}]}

    def list_deployments(self, **parameters: Any) -> dict[str, Any]:
        raise AssertionError

    get_deployment = put_lifecycle_event_hook_execution_status = list_deployments


def test_the_newest_versions_stay() -> None:
    functions = Functions(["1", "2", "9", "10", "11"], [{"FunctionVersion": "11"}])

    assert retire(EVENT, functions, CodeDeploy("10", "11"), ENVIRON) == {"deleted": ["2", "1"]}
    assert functions.versions == ["9", "10", "11"]


def test_the_rollback_target_stays_however_old_it_is() -> None:
    functions = Functions(["1", "2", "9", "10", "11"], [{"FunctionVersion": "11"}])

    retire(EVENT, functions, CodeDeploy("1", "11"), ENVIRON)

    assert functions.versions == ["1", "9", "10", "11"]


def test_after_a_rollback_the_version_that_failed_does_not_count() -> None:
    functions = Functions(["2", "3", "4", "5", "6"], [{"FunctionVersion": "5"}])

    assert retire(EVENT, functions, CodeDeploy("6", "5"), ENVIRON) == {"deleted": ["2"]}
    assert functions.versions == ["3", "4", "5", "6"]


def test_what_any_alias_sends_traffic_to_stays() -> None:
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    aliases = [{"FunctionVersion": "11"}, {"FunctionVersion": "1", "RoutingConfig": weights}]
    functions = Functions(["1", "2", "3", "9", "10", "11"], aliases)

    retire(EVENT, functions, CodeDeploy("10", "11"), ENVIRON)

    assert functions.versions == ["1", "2", "9", "10", "11"]


def test_a_version_that_cannot_be_deleted_keeps_no_other_and_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = Functions(["1", "2", "3", "9", "10", "11"], [{"FunctionVersion": "11"}])
    delete = functions.delete_function

    def refuse(*, FunctionName: str, Qualifier: str) -> None:
        if Qualifier == "2":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DeleteFunction")
        delete(FunctionName=FunctionName, Qualifier=Qualifier)

    monkeypatch.setattr(functions, "delete_function", refuse)

    with pytest.raises(NotDeleted, match="1 of 3 old versions of shop-dev-churn could not be deleted; version 2"):
        retire(EVENT, functions, CodeDeploy("10", "11"), ENVIRON)
    assert functions.versions == ["2", "9", "10", "11"]


@pytest.mark.parametrize("version", ["", "live", "$LATEST", "shop-dev-churn", "11"])
def test_the_function_itself_and_what_is_needed_cannot_be_deleted(version: str) -> None:
    """Lambda's action deletes the whole function where no version is named."""
    functions = Functions(["10", "11"], [])

    with pytest.raises(ValueError, match="must not be deleted"):
        retire_versions._delete(functions, read_settings(ENVIRON), version, {"11"})
    assert functions.versions == ["10", "11"]


@pytest.mark.parametrize("text", ["1", "", "many"])
def test_fewer_than_two_are_refused(text: str) -> None:
    functions = Functions(["1", "2"], [])

    with pytest.raises(BadSetting, match="must be 2 or more"):
        retire(EVENT, functions, CodeDeploy("1", "2"), {**ENVIRON, "SERINUS_KEEP_VERSIONS": text})


def test_it_needs_no_layer() -> None:
    code = "import sys, serinus.lambda_handlers.hooks.retire_versions; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
