"""A template of 100 resources of the kinds that a serverless app has."""

import json
from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def stack_of_100(revision: int) -> str:
    """Ten functions, each with role, version, alias, permission, alarm, parameter, queue, topic and log group.

    ``revision`` changes every function (and so its version and alias), queue and parameter.
    """
    resources: dict[str, Any] = {}
    for number in range(10):
        resources |= service(number, revision)
    assert len(resources) == 100
    return json.dumps({"Resources": resources})


def service(number: int, revision: int) -> dict[str, Any]:
    function = {"Ref": f"Function{number}"}
    return {
        f"Role{number}": resource("IAM::Role", AssumeRolePolicyDocument=TRUST),
        f"Function{number}": resource(
            "Lambda::Function",
            Runtime="python3.13",
            Handler="index.handler",
            Role={"Fn::GetAtt": [f"Role{number}", "Arn"]},
            Code={"ZipFile": f"def handler(event, context):\n    return {revision}\n"},
        ),
        f"Version{number}R{revision}": resource("Lambda::Version", FunctionName=function),
        f"Alias{number}": resource(
            "Lambda::Alias",
            FunctionName=function,
            Name="live",
            FunctionVersion={"Fn::GetAtt": [f"Version{number}R{revision}", "Version"]},
        ),
        f"Permission{number}": resource(
            "Lambda::Permission",
            FunctionName=function,
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
        ),
        f"Alarm{number}": resource(
            "CloudWatch::Alarm",
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        ),
        f"Parameter{number}": resource("SSM::Parameter", Type="String", Value=f"revision {revision}"),
        f"Queue{number}": resource("SQS::Queue", VisibilityTimeout=30 * revision),
        f"Topic{number}": resource("SNS::Topic"),
        f"Log{number}": resource("Logs::LogGroup", RetentionInDays=7),
    }


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}
