"""A REST API, and the parts that tests make of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
CERTIFICATES = [f"arn:aws:acm:us-east-1:123456789012:certificate/{number}" for number in (1, 2)]

Names = dict[str, str]


@dataclass
class Api:
    """A REST API with the method GET of its root, and makers of parts, which return the parameters that name the
    new part."""

    client: Any
    names: Names
    root: str
    unique_name: Callable[..., str]
    delete_later: Callable[..., None]

    @property
    def method(self) -> Names:
        return {**self.names, "resourceId": self.root, "httpMethod": "GET"}

    def make_rest_api(self) -> Names:
        made = self.client.create_rest_api(name="first", description="first")
        names = {"restApiId": made["id"]}
        self.delete_later(self.client.delete_rest_api, **names)
        return names

    def make_resource(self) -> Names:
        made = self.client.create_resource(**self.names, parentId=self.root, pathPart="pets")
        return {**self.names, "resourceId": made["id"]}

    def make_method(self) -> Names:
        names = {**self.names, "resourceId": self.root, "httpMethod": "POST"}
        self.client.put_method(**names, authorizationType="AWS_IAM", operationName="post")
        return names

    def make_method_response(self) -> Names:
        names = {**self.method, "statusCode": "404"}
        self.client.put_method_response(**names, responseModels={"application/json": "Error"})
        return names

    def make_integration(self) -> Names:
        names = self.make_method()
        self.client.put_integration(
            **names, type="AWS_PROXY", integrationHttpMethod="POST", uri=URI, timeoutInMillis=500
        )
        return names

    def make_integration_response(self) -> Names:
        names = self.make_method_response()
        self.client.put_integration_response(**names, selectionPattern="4..")
        return names

    def make_model(self) -> Names:
        self.client.create_model(
            **self.names,
            name="Pet",
            contentType="application/json",
            schema='{"type": "object"}',
            description="first",
        )
        return {**self.names, "modelName": "Pet"}

    def make_request_validator(self) -> Names:
        made = self.client.create_request_validator(**self.names, name="first", validateRequestBody=True)
        return {**self.names, "requestValidatorId": made["id"]}

    def make_authorizer(self) -> Names:
        made = self.client.create_authorizer(
            **self.names,
            name="first",
            type="TOKEN",
            authorizerUri=URI,
            identitySource="method.request.header.Authorization",
        )
        return {**self.names, "authorizerId": made["id"]}

    def make_deployment(self) -> Names:
        made = self.client.create_deployment(**self.names, description="first")
        return {**self.names, "deploymentId": made["id"]}

    def make_stage(self) -> Names:
        made = self.client.create_stage(
            **self.names,
            stageName="prod",
            deploymentId=self.make_deployment()["deploymentId"],
            description="first",
        )
        return {**self.names, "stageName": made["stageName"]}

    def make_api_key(self) -> Names:
        made = self.client.create_api_key(name="first", enabled=True)
        names = {"apiKey": made["id"]}
        self.delete_later(self.client.delete_api_key, **names)
        return names

    def make_usage_plan(self) -> Names:
        made = self.client.create_usage_plan(name="first", quota={"limit": 9, "period": "DAY"})
        names = {"usagePlanId": made["id"]}
        self.delete_later(self.client.delete_usage_plan, **names)
        return names

    def make_usage_plan_key(self) -> Names:
        names = {**self.make_usage_plan(), "keyId": self.make_api_key()["apiKey"]}
        self.client.create_usage_plan_key(**names, keyType="API_KEY")
        return names

    def make_domain_name(self) -> Names:
        names = {"domainName": f"{self.unique_name('api')}.example.com"}
        self.client.create_domain_name(
            **names, regionalCertificateArn=CERTIFICATES[0], endpointConfiguration={"types": ["REGIONAL"]}
        )
        self.delete_later(self.client.delete_domain_name, **names)
        return names

    def make_base_path_mapping(self) -> Names:
        names = {**self.make_domain_name(), "basePath": "first"}
        self.client.create_base_path_mapping(**names, **self.names)
        return names


@pytest.fixture
def api(aws: Callable[..., Any], unique_name: Callable[..., str], delete_later: Callable[..., None]) -> Api:
    client = aws("apigateway")
    made = client.create_rest_api(name=unique_name("api"))
    api = Api(client, {"restApiId": made["id"]}, made["rootResourceId"], unique_name, delete_later)
    delete_later(client.delete_rest_api, **api.names)
    client.put_method(**api.method, authorizationType="NONE")
    client.put_integration(**api.method, type="MOCK")
    return api
