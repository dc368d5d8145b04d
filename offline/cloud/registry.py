"""Assigns each AWS service to one implementation: ours where moto lacks it or is wrong, moto's otherwise.

`Services` holds those implemented here. ``MOTO_SERVICES`` lists, by signing name, those that moto serves
unchanged or with a small patch; any other service is rejected by name.
"""

from serinus.offline.core.ports import CloudContext
from serinus.offline.core.service import Service
from serinus.offline.http.custom_domains import CustomDomains
from serinus.offline.moto import patches
from serinus.offline.services.apigateway import ApiGateway
from serinus.offline.services.apigatewayv2 import ApiGatewayV2
from serinus.offline.services.applicationautoscaling import ApplicationAutoScaling
from serinus.offline.services.cloudformation import CloudFormation
from serinus.offline.services.cloudwatch import CloudWatch
from serinus.offline.services.codedeploy import CodeDeploy
from serinus.offline.services.events import EventBridge
from serinus.offline.services.lambda_.service import Lambda
from serinus.offline.services.logs import Logs
from serinus.offline.services.sns import Sns
from serinus.offline.services.stepfunctions import StepFunctions
from serinus.offline.services.unperformed import UNPERFORMED
from serinus.offline.services.wafv2 import Wafv2

MOTO_SERVICES = frozenset(
    {
        "apigateway",
        "cloudwatch",
        "dynamodb",
        "ecr",
        "events",
        "iam",
        "kms",
        "lambda",
        "logs",
        "monitoring",
        "s3",
        "secretsmanager",
        "sns",
        "sqs",
        "ssm",
        "states",
        "sts",
    }
)

patches.apply()


class Services:
    """One instance of each service implemented here; ``by_name`` has botocore's names, in order of start."""

    def __init__(self, context: CloudContext) -> None:
        #: Shared by the REST and the HTTP APIs, as on AWS.
        self.domains = CustomDomains()
        self.apigateway = ApiGateway(context, self.domains)
        self.apigatewayv2 = ApiGatewayV2(context, self.domains)
        self.applicationautoscaling = ApplicationAutoScaling(context)
        self.cloudformation = CloudFormation(context)
        self.cloudwatch = CloudWatch(context)
        self.codedeploy = CodeDeploy(context)
        self.events = EventBridge(context)
        self.lambda_ = Lambda(context)
        self.logs = Logs(context)
        self.sns = Sns(context)
        self.stepfunctions = StepFunctions(context)
        self.wafv2 = Wafv2(context)
        ordered: list[Service] = [
            self.apigateway,
            self.apigatewayv2,
            self.applicationautoscaling,
            self.cloudformation,
            self.cloudwatch,
            self.codedeploy,
            self.events,
            self.lambda_,
            self.logs,
            self.sns,
            self.stepfunctions,
            self.wafv2,
            *(cls(context) for cls in UNPERFORMED),
        ]
        self.by_name: dict[str, Service] = {service.name: service for service in ordered}
