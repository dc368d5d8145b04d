"""The services that the page shows."""

from dataclasses import dataclass

from serinus.offline.services.apigateway import ApiGateway
from serinus.offline.services.apigatewayv2 import ApiGatewayV2
from serinus.offline.services.cloudformation import CloudFormation
from serinus.offline.services.cloudwatch import CloudWatch
from serinus.offline.services.codedeploy import CodeDeploy
from serinus.offline.services.lambda_.service import Lambda


@dataclass(frozen=True, slots=True)
class Sources:
    """The services, by the resources that the page shows."""

    rest_apis: ApiGateway
    http_apis: ApiGatewayV2
    functions: Lambda
    alarms: CloudWatch
    deployments: CodeDeploy
    stacks: CloudFormation
