"""API Gateway (REST) in CloudFormation."""

from serinus.offline.services.cloudformation.provider import ResourceType
from serinus.offline.services.cloudformation.resources.apigateway.deployment import Deployment, Stage
from serinus.offline.services.cloudformation.resources.apigateway.domain_name import BasePathMapping, DomainName
from serinus.offline.services.cloudformation.resources.apigateway.method import Method
from serinus.offline.services.cloudformation.resources.apigateway.resources import (
    Authorizer,
    GatewayResponse,
    Model,
    RequestValidator,
    Resource,
)
from serinus.offline.services.cloudformation.resources.apigateway.rest_api import Account, RestApi
from serinus.offline.services.cloudformation.resources.apigateway.usage import ApiKey, UsagePlan, UsagePlanKey

TYPES: tuple[type[ResourceType], ...] = (
    Account,
    ApiKey,
    Authorizer,
    BasePathMapping,
    Deployment,
    DomainName,
    GatewayResponse,
    Method,
    Model,
    RequestValidator,
    Resource,
    RestApi,
    Stage,
    UsagePlan,
    UsagePlanKey,
)
