"""One place an AWS service: ours where moto lacks it or is wrong, moto's otherwise.

``SERVICES`` lists those implemented here. ``MOTO_SERVICES`` lists, by signing name, those that moto serves
unchanged or with a small patch; any other service is refused by name.
"""

from serinus.offline.core.service import Service
from serinus.offline.moto import iam, s3
from serinus.offline.services.apigateway import ApiGateway
from serinus.offline.services.apigatewayv2 import ApiGatewayV2
from serinus.offline.services.cloudformation import CloudFormation
from serinus.offline.services.cloudwatch import CloudWatch
from serinus.offline.services.codedeploy import CodeDeploy
from serinus.offline.services.events import EventBridge
from serinus.offline.services.lambda_.service import Lambda
from serinus.offline.services.sns import Sns
from serinus.offline.services.stepfunctions import StepFunctions
from serinus.offline.services.unperformed import UNPERFORMED
from serinus.offline.services.wafv2 import Wafv2

SERVICES: tuple[type[Service], ...] = (
    ApiGateway,
    ApiGatewayV2,
    CloudFormation,
    CloudWatch,
    CodeDeploy,
    EventBridge,
    Lambda,
    Sns,
    StepFunctions,
    Wafv2,
    *UNPERFORMED,
)

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

for _apply in (iam.apply, s3.apply):
    _apply()
