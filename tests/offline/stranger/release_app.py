"""A CDK app that knows nothing of this project, and releases as the CDK's own guide says.

Context ``-c revision=2`` is its next release; ``-c failing=1`` is one whose function fails.
"""

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_

WORKING = 'def handler(event, context):\n    return {{"statusCode": 200, "body": "{revision}"}}\n'
FAILING = "def handler(event, context):\n    raise ValueError({revision})\n"


class Released(cdk.Stack):
    """A REST API on an alias that CodeDeploy shifts under the eye of an alarm."""

    def __init__(self, scope: cdk.App, name: str) -> None:
        super().__init__(scope, name, env=cdk.Environment(account="123456789012", region="us-east-1"))
        revision = int(self.node.try_get_context("revision") or 1)
        code = FAILING if self.node.try_get_context("failing") else WORKING
        function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(code.format(revision=revision)),
            current_version_options=lambda_.VersionOptions(
                removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        alias = lambda_.Alias(self, "Live", alias_name="live", version=function.current_version)
        errors = cloudwatch.Alarm(
            self,
            "Errors",
            metric=alias.metric_errors(period=cdk.Duration.minutes(1)),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            alias=alias,
            deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            alarms=[errors],
        )
        apigateway.LambdaRestApi(self, "Api", handler=alias)


app = cdk.App()
Released(app, "released")
app.synth()
