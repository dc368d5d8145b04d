"""A CDK app that knows nothing of this project: an HTTP API whose routes want a token of an issuer.

Context ``-c issuer=URL`` names the issuer.
"""

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_

HANDLER = "def handler(event, context):\n    return event['requestContext'].get('authorizer', 'open')\n"


class HttpStranger(cdk.Stack):
    """A function behind an open route, a guarded one and one that wants a scope."""

    def __init__(self, scope: cdk.App, name: str) -> None:
        super().__init__(scope, name, env=cdk.Environment(account="123456789012", region="us-east-1"))
        function = lambda_.Function(
            self,
            "Greeter",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER),
        )
        jwt = authorizers.HttpJwtAuthorizer(
            "Jwt", self.node.try_get_context("issuer") or "https://issuer.example", jwt_audience=["serving"]
        )
        api = apigatewayv2.HttpApi(
            self,
            "Api",
            default_authorizer=jwt,
            cors_preflight=apigatewayv2.CorsPreflightOptions(
                allow_origins=["https://app.example.com"],
                allow_methods=[apigatewayv2.CorsHttpMethod.POST],
                allow_headers=["authorization"],
            ),
        )
        integration = integrations.HttpLambdaIntegration("Greeting", function)
        get = [apigatewayv2.HttpMethod.GET]
        open_to_all = apigatewayv2.HttpNoneAuthorizer()
        api.add_routes(path="/open", methods=get, integration=integration, authorizer=open_to_all)
        api.add_routes(path="/guarded", integration=integration)
        api.add_routes(
            path="/scoped/{name}", methods=get, integration=integration, authorization_scopes=["predict"]
        )
        cdk.CfnOutput(self, "Url", value=api.api_endpoint)


app = cdk.App()
HttpStranger(app, "http-stranger")
app.synth()
