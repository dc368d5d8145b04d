"""API Gateway's HTTP APIs in CloudFormation."""

from serinus.offline.services.cloudformation.provider import ResourceType
from serinus.offline.services.cloudformation.resources.apigatewayv2.api import Api, Deployment, Stage
from serinus.offline.services.cloudformation.resources.apigatewayv2.domain_name import ApiMapping, DomainName
from serinus.offline.services.cloudformation.resources.apigatewayv2.parts import Authorizer, Integration, Route

TYPES: tuple[type[ResourceType], ...] = (
    Api,
    ApiMapping,
    Authorizer,
    Deployment,
    DomainName,
    Integration,
    Route,
    Stage,
)
