"""One place an AWS service: ours where moto lacks it or is wrong, moto's otherwise.

``SERVICES`` lists those implemented here. ``MOTO_SERVICES`` lists, by signing name, those that moto serves
unchanged or with a small patch; any other service is refused by name.
"""

from offline.services import iam, s3
from offline.services.apigateway import ApiGateway
from offline.services.apigatewayv2 import ApiGatewayV2
from offline.services.cloudformation import CloudFormation
from offline.services.cloudwatch import CloudWatch
from offline.services.codedeploy import CodeDeploy
from offline.services.events import EventBridge
from offline.services.lambda_.service import Lambda
from offline.services.sns import Sns
from offline.services.stepfunctions import StepFunctions
from offline.services.unperformed import UNPERFORMED
from offline.services.wafv2 import Wafv2
from offline.wire.service import Service

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
