"""The runbook's commands: as AWS's models have them, and run in an offline cloud under an operator's policy."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import jmespath
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from serinus.lambda_handlers.contract.release import hold_parameter

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
STACK = "shop-prod-churn"
#: Names that AWS's CLI has for services, where they are not botocore's.
SERVICES = {"deploy": "codedeploy"}
MODELS = botocore.session.get_session()
Aws = Callable[[str], Any]


def commands() -> list[str]:
    """Every line of the runbook's examples."""
    runbook = PAGE.read_text(encoding="utf-8").split("\n## Runbook\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", runbook, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


AWS_COMMANDS = [line for line in commands() if line.startswith("aws ")]


def one(*words: str) -> str:
    """The first of the runbook's commands with these words."""
    return next(line for line in AWS_COMMANDS if all(word in line for word in words))


def parsed(line: str) -> tuple[str, str, dict[str, Any], str | None]:
    """Service, operation and parameters of a command of AWS's CLI, and its --query."""
    _, name, operation, *options = shlex.split(line)
    service = SERVICES.get(name, name)
    model = MODELS.get_service_model(service)
    (wire,) = [each for each in model.operation_names if kebab(each) == operation]
    members = {kebab(member): member for member in model.operation_model(wire).input_shape.members}
    shapes, query = model.operation_model(wire).input_shape.members, None
    parameters: dict[str, Any] = {}
    while options:
        option = options.pop(0).removeprefix("--")
        values = []
        while options and not options[0].startswith("--"):
            values.append(options.pop(0))
        if option == "query":
            (query,) = values
            continue
        member = members[option.removeprefix("no-")]
        kind = shapes[member].type_name
        parameters[member] = (
            not option.startswith("no-") if kind == "boolean"
            else values if kind == "list"
            else json.loads(values[0]) if kind == "structure"
            else values[0]
        )  # fmt: skip
    return service, wire, parameters, query


def kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


@pytest.mark.parametrize("line", AWS_COMMANDS)
def test_every_command_is_one_of_awss_cli(line: str) -> None:
    service, operation, parameters, query = parsed(line)
    shape = MODELS.get_service_model(service).operation_model(operation).input_shape

    assert not ParamValidator().validate(parameters, shape).has_errors()
    assert query is None or jmespath.compile(query)


@pytest.mark.parametrize("line", [line for line in commands() if not line.startswith("aws ")])
def test_every_other_command_is_the_cdk_clis(line: str) -> None:
    assert shlex.split(line)[:3] == ["npx", "cdk", "deploy"]


def test_the_held_deployment_is_where_the_judge_leaves_it() -> None:
    assert hold_parameter(STACK) in one("get-parameter")


@pytest.fixture
def aws(under: Any, printed_policy: Any) -> tuple[Any, Aws]:
    """Commands of `serinus`, and of AWS's CLI, as a role with an operator's policy."""
    run, _role = under(printed_policy("operator"))
    return run, call


def call(line: str) -> Any:
    """What the command prints."""
    service, operation, parameters, query = parsed(line)
    client = boto3.client(service, region_name="us-east-1")
    answer = client._make_api_call(operation, parameters)
    return jmespath.search(query, answer) if query else answer


@pytest.mark.cloud
@pytest.mark.slow
@pytest.mark.xdist_group("operations")
class TestInACloud:
    def test_a_release_is_stopped_and_a_promotion_taken_back_without_the_project(
        self, shop: Any, aws: tuple[Any, Aws]
    ) -> None:
        run, call = aws
        shop.release()
        (deployment,) = call(one("list-deployments"))
        call(one("stop-deployment").replace("d-EXAMPLE11", deployment))
        shop.end_of_release("stack_rollback_complete")
        shop.release()
        shop.end_of_release("stack_update_complete")

        listed = dict(call(one("list-versions-by-function")))
        assert listed["1"] == f"churn {shop.versions[0][:12]}"
        assert call(one("update-alias", "--function-version"))["FunctionVersion"] == "1"

        assert run("rollback", "churn").exit_code == 0
        stack = shop.stacks.describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        assert (outputs["FunctionVersion"], outputs["ModelVersion"]) == ("1", shop.versions[0])

    def test_an_alias_is_freed_of_its_weights(self, shop: Any, aws: tuple[Any, Aws]) -> None:
        _run, call = aws
        functions = shop.cloud.client("lambda")
        versions = functions.list_versions_by_function(FunctionName=STACK)["Versions"]
        other = next(each["Version"] for each in versions if each["Version"] not in ("1", "$LATEST"))
        functions.update_alias(
            FunctionName=STACK, Name="live", RoutingConfig={"AdditionalVersionWeights": {other: 0.1}}
        )
        assert call(one("get-alias"))["RoutingConfig"]["AdditionalVersionWeights"] == {other: 0.1}

        call(one("update-alias", "--name live --routing-config"))

        assert not call(one("get-alias")).get("RoutingConfig", {}).get("AdditionalVersionWeights")

    def test_what_failed_and_the_alias_are_found_and_a_rollback_is_continued_only_where_one_failed(
        self, shop: Any, aws: tuple[Any, Aws]
    ) -> None:
        _run, call = aws
        failed = call(one("describe-stack-events"))
        assert call(one("describe-stack-resources")) == ["Alias"]
        assert all(len(event) == 2 for event in failed)
        for line in AWS_COMMANDS:
            if "continue-update-rollback" in line:
                with pytest.raises(ClientError, match="can not continue rollback"):
                    call(line)

    def test_protection_is_lifted_and_a_resource_is_left_out_only_after_a_failed_deletion(
        self, shop: Any, aws: tuple[Any, Aws], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An administrator's work: an operator may not do it."""
        _run, call = aws
        with pytest.raises(ClientError, match="AccessDenied"):
            call(one("delete-stack"))
        key = shop.cloud.cloud.config.root_key
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
        monkeypatch.delenv("AWS_SESSION_TOKEN")

        shop.stacks.update_termination_protection(StackName=STACK, EnableTerminationProtection=True)
        with pytest.raises(ClientError, match="TerminationProtection is enabled"):
            call(one("delete-stack"))
        call(one("update-termination-protection"))
        with pytest.raises(ClientError, match="must be in DELETE_FAILED state"):
            call(one("delete-stack", "--retain-resources"))
        assert STACK in call(one("describe-stacks"))
