"""CodeDeploy's rules for Lambda: what can be read and heard of deployments."""

import json
from collections.abc import Callable
from typing import Any

ACCOUNT, REGION = "123456789012", "us-east-1"


def test_a_target_tells_of_the_function(bench: Any) -> None:
    """A Lambda target names function, alias, versions and the percentage of traffic.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_LambdaFunctionInfo.html
    """
    release = bench.release()
    deployment = release.deploy()
    target = bench.target(deployment)
    assert target["lambdaFunctionInfo"] == {
        "functionName": "served",
        "functionAlias": release.name,
        "currentVersion": "1",
        "targetVersion": "2",
        "targetVersionWeight": 10.0,
    }
    batch = bench.codedeploy.batch_get_deployment_targets(deploymentId=deployment, targetIds=[target["targetId"]])
    assert batch["deploymentTargets"][0]["lambdaTarget"]["status"] == "InProgress"


def test_a_group_remembers_its_last_deployments(bench: Any) -> None:
    """A group reports its last successful and last attempted deployment.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentGroupInfo.html
    """
    release = bench.release("LambdaAllAtOnce")
    good, bad = release.deploy(), release.deploy()
    rollback = bench.info(bad)["rollbackInfo"]["rollbackDeploymentId"]
    info = bench.codedeploy.get_deployment_group(applicationName="app", deploymentGroupName=release.name)[
        "deploymentGroupInfo"
    ]
    assert info["lastAttemptedDeployment"]["deploymentId"] == rollback
    assert info["lastSuccessfulDeployment"]["status"] == "Succeeded"
    assert bench.info(bad)["previousRevision"] == bench.info(good)["revision"]


def test_deployments_are_listed_newest_first_and_by_status(bench: Any) -> None:
    """ListDeployments filters by application, group and status.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": False})
    first = release.deploy()
    bench.cloud.advance(minutes=5)
    second = release.deploy()

    def listed(**filters: Any) -> list[str]:
        answer = bench.codedeploy.list_deployments(
            applicationName="app", deploymentGroupName=release.name, **filters
        )
        return list(answer["deployments"])

    assert listed() == [second, first]
    assert listed(includeOnlyStatuses=["Succeeded"]) == [first]


def test_changes_are_announced_to_eventbridge(bench: Any, eventually: Callable[..., Any]) -> None:
    """Deployments send state-change notifications with START, SUCCESS, FAILURE or STOP.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
    """
    release = bench.release("LambdaAllAtOnce")
    events, sqs = bench.cloud.client("events"), bench.cloud.client("sqs")
    url = sqs.create_queue(QueueName=release.name)["QueueUrl"]
    pattern = {"source": ["aws.codedeploy"], "detail": {"deploymentGroup": [release.name]}}
    events.put_rule(Name=release.name, EventPattern=json.dumps(pattern))
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{release.name}"
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_targets(Rule=release.name, Targets=[{"Id": "1", "Arn": queue}])
    deployment = release.deploy()
    found: list[dict[str, Any]] = []

    def both() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        found.extend(json.loads(message["Body"]) for message in messages)
        return len(found) == 2

    eventually(both)
    assert {event["detail"]["state"] for event in found} == {"START", "SUCCESS"}
    assert {event["detail"]["deploymentId"] for event in found} == {deployment}
    assert {event["detail-type"] for event in found} == {"CodeDeploy Deployment State-change Notification"}


def test_triggers_publish_to_sns(bench: Any, eventually: Callable[..., Any]) -> None:
    """A trigger publishes JSON on the events it names.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html
    """
    sns, sqs = bench.cloud.client("sns"), bench.cloud.client("sqs")
    topic = sns.create_topic(Name="deployments")["TopicArn"]
    url = sqs.create_queue(QueueName="deployments")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:deployments")
    trigger = {"triggerName": "done", "triggerTargetArn": topic, "triggerEvents": ["DeploymentSuccess"]}
    deployment = bench.release("LambdaAllAtOnce", triggerConfigurations=[trigger]).deploy()
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages", []))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["deploymentId"], told["status"], told["eventTriggerName"]) == (deployment, "Succeeded", "done")
