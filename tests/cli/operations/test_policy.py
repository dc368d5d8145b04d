"""The commands of an operator, and what a CI job reads, each under exactly the printed policy in an offline cloud
that checks every call: what is called is allowed, and what is allowed is called."""

import copy
import json
from typing import Any

import pytest

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("operations")]

STACK, REGION = "shop-prod-churn", "us-east-1"
#: What an operator is allowed beyond the commands that the test runs, and what for.
OTHERWISE_USED = {
    "lambda:DeleteProvisionedConcurrencyConfig": "`serinus rollback` of an endpoint that keeps environments ready",
    "lambda:GetProvisionedConcurrencyConfig": "the same",
    "lambda:PutProvisionedConcurrencyConfig": "the same",
    "sns:ListSubscriptionsByTopic": "`serinus status` where [operations] has a topic",
    "cloudwatch:GetMetricData": "`serinus rollout explain` of a release that a judge watched",
    "cloudwatch:ListMetrics": "the same",
    "cloudformation:ContinueUpdateRollback": "the runbook",
    "cloudformation:DescribeStackEvents": "the runbook",
    "cloudformation:DescribeStackResources": "the runbook",
    "codedeploy:PutLifecycleEventHookExecutionStatus": "the runbook",
    "ssm:GetParameter": "the runbook",
    "s3:GetObject": "`serinus monitor`, and rollback of a stack whose template is larger than a call may be",
    "s3:ListBucket": "`serinus monitor`",
    "s3:PutObject": "`serinus monitor accept`, and rollback of a stack whose template is large",
    "apigateway:PUT": "tags of a new key, which AWS checks as a call of its own",
}


def succeeded(done: Any) -> Any:
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def every_command(shop: Any, run: Any) -> None:
    """A release that is stopped, one that is promoted and taken back, and all that is read meanwhile."""
    shop.release()
    assert "is under way" in succeeded(run("status", "churn")).stdout
    succeeded(run("rollout", "status", "churn"))
    succeeded(run("rollout", "stop", "churn"))
    shop.end_of_release("stack_rollback_complete")
    assert succeeded(run("rollout", "explain", "churn")).stdout.startswith("Rolled back")
    shop.release()
    shop.end_of_release("stack_update_complete")
    assert succeeded(run("rollout", "explain", "churn")).stdout.startswith("Promoted")
    succeeded(run("rollout", "watch", "churn"))
    succeeded(run("logs", "churn", "--of", "all"))
    succeeded(run("key", "churn", "--rotate"))
    keys = json.loads(succeeded(run("key", "churn", "--json")).stdout)
    (stacks_own,) = [key["id"] for key in keys if key["origin"] == "stack"]
    (rotated,) = [key["id"] for key in keys if key["origin"] == "rotation"]
    succeeded(run("key", "churn", "--revoke", stacks_own))
    shop.cloud.client("apigateway").update_api_key(
        apiKey=stacks_own, patchOperations=[{"op": "replace", "path": "/enabled", "value": "true"}]
    )
    succeeded(run("key", "churn", "--revoke", rotated))
    assert "rolled back churn" in succeeded(run("rollback", "churn")).stdout


def test_an_operator_can_do_all_that_the_policy_is_for_and_each_action_is_used(
    shop: Any, under: Any, printed_policy: Any
) -> None:
    policy = printed_policy("operator")
    run, role = under(policy)
    every_command(shop, run)
    used = {use["action"] for use in shop.cloud.cloud.authorizer.uses(role) if use["allowed"]}
    denied = [use for use in shop.cloud.cloud.authorizer.uses(role) if not use["allowed"]]
    granted = {action for statement in policy["Statement"] for action in statement["Action"]}

    assert denied == []
    assert granted - used - set(OTHERWISE_USED) == {"cloudformation:CancelUpdateStack"}
    assert granted >= set(OTHERWISE_USED)


def without(policy: Any, action: str) -> Any:
    reduced = copy.deepcopy(policy)
    for statement in reduced["Statement"]:
        statement["Action"] = [granted for granted in statement["Action"] if granted != action]
    reduced["Statement"] = [statement for statement in reduced["Statement"] if statement["Action"]]
    return reduced


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("cloudformation:DescribeStacks", ("status", "churn")),
        ("cloudformation:DescribeStacks", ("logs", "churn")),
        ("logs:FilterLogEvents", ("logs", "churn")),
        ("logs:DescribeLogGroups", ("logs", "churn")),
        ("apigateway:GET", ("key", "churn")),
        ("apigateway:POST", ("key", "churn", "--rotate")),
        ("lambda:GetAlias", ("rollout", "status", "churn")),
        ("codedeploy:ListDeployments", ("rollout", "status", "churn")),
        ("codedeploy:GetDeployment", ("rollout", "status", "churn")),
        ("codedeploy:BatchGetDeploymentTargets", ("rollout", "status", "churn")),
        ("codedeploy:GetDeploymentGroup", ("rollout", "status", "churn")),
        ("cloudwatch:DescribeAlarms", ("rollout", "status", "churn")),
        ("lambda:ListVersionsByFunction", ("rollback", "churn")),
    ],
)
def test_with_one_action_fewer_a_command_is_denied(
    shop: Any, under: Any, printed_policy: Any, action: str, words: tuple[str, ...]
) -> None:
    run, role = under(without(printed_policy("operator"), action))
    done = run(*words)

    assert [use["action"] for use in shop.cloud.cloud.authorizer.uses(role) if not use["allowed"]][:1] == [action]
    assert "AccessDenied" in f"{done.output}{done.exception}"


def test_an_operator_of_one_environment_reaches_no_other(shop: Any, under: Any, printed_policy: Any) -> None:
    policy = printed_policy("operator")
    other = json.loads(json.dumps(policy).replace("shop-prod-", "shop-stage-"))
    run, _role = under(other)

    assert run("rollout", "status", "churn").exit_code == 1
    assert run("logs", "churn").exit_code == 1


def test_a_ci_job_reads_what_deploy_prints_and_can_change_nothing_itself(
    shop: Any, under: Any, printed_policy: Any
) -> None:
    from serinus.cli.commands.deploy import unprotect_failed_create, updating_stacks
    from serinus.cli.endpoints import find_endpoint
    from serinus.cli.release_reader import RolloutReader
    from serinus.cli.target import CloudTarget

    run, role = under(printed_policy("ci"))
    target = CloudTarget(None, REGION)
    assert updating_stacks(target, {"churn": STACK}) == {}
    unprotect_failed_create(target, STACK)
    assert find_endpoint(shop.project, "prod", "churn", target).key is not None
    assert RolloutReader(target, STACK).alias().version
    assert [use for use in shop.cloud.cloud.authorizer.uses(role) if not use["allowed"]] == []

    assert run("rollout", "stop", "churn").exit_code == 1
    assert run("key", "churn", "--rotate").exit_code == 1
