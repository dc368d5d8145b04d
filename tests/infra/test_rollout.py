import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cfnlint.api import lint

from serinus.lambda_handlers.contract.release import NO_OBJECTION, hold_parameter, objection_parameter

Templates = Callable[..., dict[str, Any]]
Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]

STRATEGIES = ("canary", "linear", "blue_green", "all_at_once")


def rollout(lines: str) -> str:
    return f"[endpoint.churn.rollout]\n{lines}\n"


def only(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (item,) = found.values()
    return item


def test_the_alias_is_moved_by_codedeploy_with_both_hooks(template_of: Templates, resources_of: Find) -> None:
    template = template_of()
    policy = only(resources_of(template, "AWS::Lambda::Alias"))["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]

    def function_name(hook: str) -> str:
        name: str = template["Resources"][policy[hook]["Ref"]]["Properties"]["FunctionName"]
        return name

    assert function_name("BeforeAllowTrafficHook") == "CodeDeployHook_before_shop-dev-churn"
    assert function_name("AfterAllowTrafficHook") == "CodeDeployHook_after_shop-dev-churn"
    assert policy["ApplicationName"]["Ref"] in resources_of(template, "AWS::CodeDeploy::Application")
    assert policy["DeploymentGroupName"]["Ref"] in resources_of(template, "AWS::CodeDeploy::DeploymentGroup")


def test_every_early_end_of_a_deployment_rolls_back(template_of: Templates, resources_of: Find) -> None:
    group = only(resources_of(template_of(), "AWS::CodeDeploy::DeploymentGroup"))["Properties"]

    assert group["AutoRollbackConfiguration"] == {
        "Enabled": True,
        "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
    }
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent15Minutes"


def test_steps_that_aws_does_not_have_become_a_configuration(template_of: Templates, resources_of: Find) -> None:
    template = template_of(rollout("share_percent = 5\nbake_minutes = 20"))
    ((name, config),) = resources_of(template, "AWS::CodeDeploy::DeploymentConfig").items()
    group = only(resources_of(template, "AWS::CodeDeploy::DeploymentGroup"))["Properties"]

    assert group["DeploymentConfigName"] == {"Ref": name}
    assert config["Properties"] == {
        "ComputePlatform": "Lambda",
        "TrafficRoutingConfig": {
            "Type": "TimeBasedCanary",
            "TimeBasedCanary": {"CanaryPercentage": 5, "CanaryInterval": 20},
        },
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("table", ["", 'cold_start = "provisioned"\n'], ids=["plain", "provisioned"])
def test_a_release_changes_nothing_of_the_alias_but_its_version(
    template_of: Templates, resources_of: Find, strategy: str, table: str
) -> None:
    """CloudFormation has CodeDeploy move the version; it is not documented what becomes of another change."""
    lines = table + rollout(f'strategy = "{strategy}"')
    live, new, hotfix = (
        dict(only(resources_of(template, "AWS::Lambda::Alias"))["Properties"])
        for template in (template_of(lines), template_of(lines, graph=b"new"), template_of(lines, hotfix=True))
    )

    assert live.pop("FunctionVersion") != new.pop("FunctionVersion")
    assert hotfix.pop("FunctionVersion")
    assert live == new == hotfix


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_group_and_hooks_are_the_new_releases_before_the_alias_moves(
    template_of: Templates, resources_of: Find, strategy: str
) -> None:
    """Named by DependsOn: no page says that CloudFormation counts what an update policy refers to."""
    template = template_of(rollout(f'strategy = "{strategy}"'))
    depends_on = only(resources_of(template, "AWS::Lambda::Alias"))["DependsOn"]
    policy = only(resources_of(template, "AWS::Lambda::Alias"))["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]

    assert {reference["Ref"] for reference in policy.values()} <= set(depends_on)


def test_the_first_version_is_checked_before_there_is_an_alias(template_of: Templates, resources_of: Find) -> None:
    template = template_of()
    ((name, check),) = resources_of(template, "Custom::SerinusFirstRelease").items()
    (version,) = resources_of(template, "AWS::Lambda::Version")
    function = template["Resources"][check["Properties"]["ServiceToken"]["Fn::GetAtt"][0]]["Properties"]

    assert function["Environment"]["Variables"]["SERINUS_VERSION"] == {"Fn::GetAtt": [version, "Version"]}
    assert name in only(resources_of(template, "AWS::Lambda::Alias"))["DependsOn"]
    assert int(check["Properties"]["ServiceTimeout"]) > function["Timeout"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_later_release_does_not_touch_the_check_of_the_first(template_of: Templates, strategy: str) -> None:
    """CloudFormation would ask a function on the new layers about it, and wait, before CodeDeploy has begun."""
    lines = rollout(f'strategy = "{strategy}"')
    live, new = template_of(lines), template_of(f"memory_mb = 2048\n{lines}")
    for template in (live, new):
        (check,) = (one for one in template["Resources"].values() if one["Type"].startswith("Custom::"))
        assert set(check["Properties"]) == {"ServiceToken", "ServiceTimeout"}
    assert set(live["Resources"]) != set(new["Resources"]), "it is another version"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_checks_that_somebody_waits_for_are_run_again_where_lambda_loses_them(
    template_of: Templates, strategy: str
) -> None:
    resources = template_of(rollout(f'strategy = "{strategy}"'))["Resources"]
    retries = {
        resources[one["Properties"]["FunctionName"]["Ref"]]["Properties"]["FunctionName"]: one["Properties"][
            "MaximumRetryAttempts"
        ]
        for one in resources.values()
        if one["Type"] == "AWS::Lambda::EventInvokeConfig"
    }
    waited_for = (
        "CodeDeployHook_before_shop-dev-churn",
        "CodeDeployHook_after_shop-dev-churn",
        "shop-dev-churn-first",
    )

    assert {name for name, count in retries.items() if count} == set(waited_for)
    assert {retries[name] for name in waited_for} == {2}


def test_the_judge_is_the_new_releases_before_traffic_moves(template_of: Templates, resources_of: Find) -> None:
    template = template_of()
    ((schedule, rule),) = (
        (name, item)
        for name, item in resources_of(template, "AWS::Events::Rule").items()
        if "ScheduleExpression" in item["Properties"]
    )
    (target,) = rule["Properties"]["Targets"]
    judge = target["Arn"]["Fn::GetAtt"][0]

    assert rule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    assert template["Resources"][judge]["Properties"]["FunctionName"] == "shop-dev-churn-judge"
    assert {schedule, judge} <= set(only(resources_of(template, "AWS::Lambda::Alias"))["DependsOn"])


def test_nothing_is_scheduled_where_nothing_is_judged(template_of: Templates, resources_of: Find) -> None:
    template = template_of(rollout('strategy = "all_at_once"'))

    assert not [
        rule
        for rule in resources_of(template, "AWS::Events::Rule").values()
        if "ScheduleExpression" in rule["Properties"]
    ]


def test_a_hotfix_skips_the_bake_and_says_so_but_makes_no_other_version(
    template_of: Templates, resources_of: Find
) -> None:
    usual, hotfix = template_of(), template_of(hotfix=True)
    group = only(resources_of(hotfix, "AWS::CodeDeploy::DeploymentGroup"))["Properties"]
    alias = only(resources_of(hotfix, "AWS::Lambda::Alias"))["Properties"]

    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    assert alias == only(resources_of(usual, "AWS::Lambda::Alias"))["Properties"]
    assert hotfix["Outputs"]["Hotfix"]["Value"].startswith("churn ")
    assert "Hotfix" not in usual["Outputs"]
    assert set(resources_of(hotfix, "AWS::Lambda::Version")) == set(resources_of(usual, "AWS::Lambda::Version"))
    assert set(hotfix["Resources"]) == set(usual["Resources"])


def test_a_hotfix_is_not_held_for_the_judge(template_of: Templates, resources_of: Find) -> None:
    template = template_of(rollout('strategy = "blue_green"'), hotfix=True)
    functions = {
        item["Properties"]["FunctionName"]: item["Properties"]
        for item in resources_of(template, "AWS::Lambda::Function").values()
    }
    environment = functions["CodeDeployHook_after_shop-dev-churn"]["Environment"]["Variables"]

    assert environment["SERINUS_STRATEGY"] == "all_at_once"


def actions_of(template: dict[str, Any], function: str) -> set[str]:
    (role,) = (
        item["Properties"]["Role"]["Fn::GetAtt"][0]
        for item in template["Resources"].values()
        if item["Type"] == "AWS::Lambda::Function" and item["Properties"]["FunctionName"] == function
    )
    return {action for statement in statements_of(template, role) for action in _listed(statement["Action"])}


def statements_of(template: dict[str, Any], role: str) -> Iterator[dict[str, Any]]:
    for policy in template["Resources"][role]["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
ROLLBACKS = {"codedeploy:GetDeployment"}
DEPLOYMENT = {"codedeploy:ListDeploymentTargets", "codedeploy:BatchGetDeploymentTargets"}
ANSWER = {"codedeploy:PutLifecycleEventHookExecutionStatus"}
JUDGE = {
    "lambda:InvokeFunction",
    "codedeploy:ListDeployments",
    "codedeploy:GetDeployment",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "events:PutEvents",
}


def test_a_version_may_be_deleted_wherever_iam_checks_it_and_no_other_function(
    template_of: Templates, resources_of: Find
) -> None:
    statements = [
        statement
        for role in resources_of(template_of(), "AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "lambda:DeleteFunction" in statement["Action"]
    ]

    (statement,) = statements
    ends = [resource["Fn::Join"][1][-1] for resource in statement["Resource"]]
    assert ends == [":function:shop-dev-churn", ":function:shop-dev-churn:*"]


@pytest.mark.parametrize(
    ("function", "strategy", "allowed"),
    [
        ("shop-dev-churn", "canary", set()),
        (
            "CodeDeployHook_before_shop-dev-churn",
            "canary",
            {"lambda:InvokeFunction"} | DEPLOYMENT | ROLLBACKS | ANSWER,
        ),
        (
            "CodeDeployHook_after_shop-dev-churn",
            "canary",
            {"lambda:InvokeFunction", "cloudwatch:GetMetricData", "ssm:GetParameter"}
            | DEPLOYMENT
            | ROLLBACKS
            | ANSWER,
        ),
        (
            "CodeDeployHook_after_shop-dev-churn",
            "all_at_once",
            {"lambda:InvokeFunction"} | DEPLOYMENT | ROLLBACKS | ANSWER,
        ),
        (
            "CodeDeployHook_after_shop-dev-churn",
            "blue_green",
            {"lambda:InvokeFunction", "ssm:PutParameter"} | DEPLOYMENT | ROLLBACKS | ANSWER,
        ),
        ("shop-dev-churn-first", "canary", {"lambda:InvokeFunction"}),
        ("shop-dev-churn-judge", "canary", JUDGE | DEPLOYMENT | {"ssm:GetParameter", "ssm:PutParameter"}),
        (
            "shop-dev-churn-judge",
            "blue_green",
            JUDGE | DEPLOYMENT | ANSWER | {"ssm:GetParameter", "ssm:DeleteParameter"},
        ),
        (
            "shop-dev-churn-retire",
            "canary",
            {"lambda:ListVersionsByFunction", "lambda:ListAliases", "lambda:DeleteFunction"}
            | DEPLOYMENT
            | ROLLBACKS,
        ),
    ],
)
def test_a_function_may_do_what_its_code_calls_and_nothing_else(
    template_of: Templates, function: str, strategy: str, allowed: set[str]
) -> None:
    template = template_of() if strategy == "canary" else template_of(rollout(f'strategy = "{strategy}"'))

    assert actions_of(template, function) == allowed | LOGS


def test_versions_can_be_deleted_but_not_the_function(template_of: Templates, resources_of: Find) -> None:
    (resource,) = {
        json.dumps(statement["Resource"])
        for role in resources_of(template_of(), "AWS::IAM::Role")
        for statement in statements_of(template_of(), role)
        if "lambda:DeleteFunction" in _listed(statement["Action"])
    }

    assert ":function:shop-dev-churn:*" in resource


@pytest.mark.parametrize(
    ("strategy", "name"),
    [("blue_green", hold_parameter), ("canary", objection_parameter), ("linear", objection_parameter)],
)
def test_judge_and_hook_leave_word_in_the_parameter_that_they_name(
    template_of: Templates, resources_of: Find, strategy: str, name: Callable[[str], str]
) -> None:
    template = template_of(rollout(f'strategy = "{strategy}"'))
    parameters = {
        json.dumps(statement["Resource"])
        for role in resources_of(template, "AWS::IAM::Role")
        for statement in statements_of(template, role)
        if any(action.startswith("ssm:") for action in _listed(statement["Action"]))
    }

    assert parameters
    assert all(f":parameter{name('shop-dev-churn')}" in resource for resource in parameters)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_objection_goes_with_the_stack(template_of: Templates, resources_of: Find, strategy: str) -> None:
    template = template_of(rollout(f'strategy = "{strategy}"'))
    made = [one["Properties"] for one in resources_of(template, "AWS::SSM::Parameter").values()]

    expected = objection_parameter("shop-dev-churn")
    assert [one["Name"] for one in made] == ([expected] if strategy in ("canary", "linear") else [])
    assert {one["Value"] for one in made} <= {NO_OBJECTION}


def test_hooks_run_on_the_endpoints_own_layers(template_of: Templates, resources_of: Find) -> None:
    functions = {
        item["Properties"]["FunctionName"]: item["Properties"]
        for item in resources_of(template_of(), "AWS::Lambda::Function").values()
    }
    own = functions["shop-dev-churn"]["Layers"]

    assert functions["shop-dev-churn-retire"].get("Layers", []) == []
    for name in set(functions) - {"shop-dev-churn", "shop-dev-churn-retire"}:
        assert functions[name]["Layers"] == own


#: What an endpoint's table may say of cold starts.
COLD_STARTS = {
    "none": "",
    "snapstart": 'cold_start = "snapstart"\n',
    "provisioned": 'cold_start = "provisioned"\n[endpoint.churn.provisioned]\n'
    'environments = 2\nmaximum = 5\ntarget_percent = 70\nschedule = { "cron(0 7 * * ? *)" = 3 }\n',
}


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("cold_start", COLD_STARTS)
@pytest.mark.parametrize("predefined", [True, False], ids=["predefined", "custom"])
def test_every_strategy_passes_cfn_lint(
    template_of: Templates, strategy: str, cold_start: str, predefined: bool
) -> None:
    shift = "" if predefined else "step_percent = 20\nshare_percent = 20\n"
    lines = f'strategy = "{strategy}"\n{shift}'
    template = template_of(COLD_STARTS[cold_start] + rollout(lines))

    assert [str(match) for match in lint(json.dumps(template))] == []


@pytest.mark.slow
def test_a_hotfix_passes_cfn_lint(template_of: Templates) -> None:
    assert [str(match) for match in lint(json.dumps(template_of(hotfix=True)))] == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_resource_needs_itself(template_of: Templates, strategy: str) -> None:
    template = template_of(rollout(f'strategy = "{strategy}"\nstep_percent = 20\nshare_percent = 20'))
    needs = {
        name: set(_references(item)) & set(template["Resources"]) for name, item in template["Resources"].items()
    }

    while ready := {name for name, wanted in needs.items() if not wanted & set(needs)}:
        needs = {name: wanted for name, wanted in needs.items() if name not in ready}

    assert needs == {}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            elif key == "DependsOn":
                yield from _listed(inner)
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
