"""AWS::ApiGatewayV2::Route, Integration and Authorizer: the parts of an HTTP API."""

from serinus.offline.services.cloudformation.provider import words
from serinus.offline.services.cloudformation.resources.apigatewayv2.http_resource import HttpResource


class ApiGatewayV2Route(HttpResource):
    type = "AWS::ApiGatewayV2::Route"
    noun = "Route"
    modelled = words(
        "ApiId ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId OperationName RouteKey Target"
    )
    attributes = words("RouteId")
    id_member = "RouteId"
    id_attribute = "RouteId"


class ApiGatewayV2Integration(HttpResource):
    type = "AWS::ApiGatewayV2::Integration"
    noun = "Integration"
    modelled = words(
        "ApiId ConnectionType CredentialsArn Description IntegrationMethod IntegrationType IntegrationUri "
        "PayloadFormatVersion TimeoutInMillis"
    )
    attributes = words("IntegrationId")
    id_member = "IntegrationId"
    id_attribute = "IntegrationId"


class ApiGatewayV2Authorizer(HttpResource):
    type = "AWS::ApiGatewayV2::Authorizer"
    noun = "Authorizer"
    modelled = words("ApiId AuthorizerType IdentitySource IdentityValidationExpression JwtConfiguration Name")
    attributes = words("AuthorizerId")
    id_member = "AuthorizerId"
    id_attribute = "AuthorizerId"
