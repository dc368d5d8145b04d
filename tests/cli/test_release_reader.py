"""What a deployment of CodeDeploy says of its versions, wherever AWS puts them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from serinus.cli.errors import CliError
from serinus.cli.release_reader import RolloutReader

APP_SPEC = {
    "version": 0.0,
    "Resources": [
        {
            "shop": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Name": "shop", "Alias": "live", "CurrentVersion": "7", "TargetVersion": "8"},
            }
        }
    ],
}


class CodeDeploy:
    """Answers of CodeDeploy for one deployment."""

    def __init__(self, function: dict[str, str], content: str, rollback: dict[str, str] | None = None) -> None:
        self.function, self.content, self.rollback = function, content, rollback or {}

    def get_deployment(self, deploymentId: str) -> dict[str, Any]:
        return {
            "deploymentInfo": {
                "deploymentId": deploymentId,
                "status": "InProgress",
                "createTime": datetime(2026, 1, 1, tzinfo=UTC),
                "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": self.content}},
                "rollbackInfo": self.rollback,
            }
        }

    def list_deployment_targets(self, deploymentId: str) -> dict[str, Any]:
        return {"targetIds": [deploymentId]}

    def batch_get_deployment_targets(self, deploymentId: str, targetIds: list[str]) -> dict[str, Any]:
        info = {"lambdaFunctionInfo": self.function} if self.function else {}
        return {"deploymentTargets": [{"lambdaTarget": {"lifecycleEvents": [], **info}}]}


def read(codedeploy: CodeDeploy) -> Any:
    target: Any = None
    reader = RolloutReader(target, "shop")
    reader.codedeploy = codedeploy
    return reader.deployment("d-1")


@pytest.mark.parametrize("function", [{}, {"currentVersion": "7", "targetVersion": "8"}, {"functionName": "shop"}])
def test_versions_are_those_of_the_target_or_of_the_app_spec(function: dict[str, str]) -> None:
    deployment = read(CodeDeploy(function, json.dumps(APP_SPEC)))
    assert (deployment.stable, deployment.canary, deployment.restores) == ("7", "8", False)


def test_a_deployment_that_names_no_version_is_an_error_with_a_next_step() -> None:
    with pytest.raises(CliError, match=r"deployment d-1: .*Stop the deployment"):
        read(CodeDeploy({}, "{}"))


@pytest.mark.parametrize(
    ("current", "target", "rollback", "restores"),
    [
        ("9", "10", {}, False),
        ("10", "9", {}, True),
        ("10", "9", {"rollbackTriggeringDeploymentId": "d-0"}, True),
        ("9", "10", {"rollbackTriggeringDeploymentId": "d-0"}, True),
    ],
)
def test_a_deployment_to_an_earlier_version_restores(
    current: str, target: str, rollback: dict[str, str], restores: bool
) -> None:
    function = {"currentVersion": current, "targetVersion": target}
    assert read(CodeDeploy(function, "", rollback)).restores is restores
