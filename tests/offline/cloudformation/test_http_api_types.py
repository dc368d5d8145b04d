"""HTTP APIs in CloudFormation: made, changed in place, served, deleted."""

import json

import httpx

SOURCE = "def handler(event, context):\n    return %d\n"


def http_api(revision, role):
    here = {"ApiId": {"Ref": "Api"}}
    second = revision == 2
    return {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": role,
                "Code": {"ZipFile": SOURCE % revision},
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*"},
            },
        },
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": f"api {revision}",
                "ProtocolType": "HTTP",
                **({} if second else {"Description": "first", "CorsConfiguration": {"AllowOrigins": ["*"]}}),
            },
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                **here,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": ["Function", "Arn"]},
                "PayloadFormatVersion": f"{revision}.0" if second else "2.0",
                "TimeoutInMillis": 10_000 * revision,
            },
        },
        "Authorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                **here,
                "AuthorizerType": "JWT",
                "Name": f"jwt{revision}",
                "IdentitySource": ["$request.header.Authorization"],
                "JwtConfiguration": {"Issuer": "https://issuer.example", "Audience": [f"a{revision}"]},
            },
        },
        "Open": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **here,
                "RouteKey": "GET /open",
                "Target": {"Fn::Sub": "integrations/${Integration}"},
            },
        },
        "Guarded": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **here,
                "RouteKey": "$default",
                "AuthorizationType": "JWT",
                "AuthorizerId": {"Ref": "Authorizer"},
                **({} if second else {"AuthorizationScopes": ["predict"]}),
                "Target": {"Fn::Sub": "integrations/${Integration}"},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "DependsOn": ["Open"],
            "Properties": {
                **here,
                "StageName": "$default",
                "AutoDeploy": True,
                "DefaultRouteSettings": {"ThrottlingRateLimit": 100 * revision, "ThrottlingBurstLimit": 50},
                "RouteSettings": {"GET /open": {"ThrottlingBurstLimit": 40, "ThrottlingRateLimit": 40.5}},
                "AccessLogSettings": {
                    "DestinationArn": {"Fn::GetAtt": ["Log", "Arn"]},
                    "Format": f"$context.requestId {revision}",
                },
                "Tags": {"revision": str(revision)},
            },
        },
        "Log": {"Type": "AWS::Logs::LogGroup"},
    }


def test_an_http_api_is_deployed_served_changed_and_deleted(stacks, aws, cloud, lambda_role):
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}}
    stack = stacks.create({"Resources": http_api(1, lambda_role), "Outputs": outputs})
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    api_id = stacks.physical_id(stack, "Api")
    assert stacks.outputs(stack)["Url"] == f"https://{api_id}.execute-api.us-east-1.amazonaws.com"
    url = f"{cloud.config.endpoint_url}/_gateway/{api_id}"
    assert httpx.get(f"{url}/open", trust_env=False).text == "1"
    assert httpx.get(f"{url}/guarded", trust_env=False).status_code == 401
    before = {name: stacks.physical_id(stack, name) for name in http_api(1, lambda_role)}
    tags = [{"Key": "team", "Value": "birds"}]
    changed = stacks.update(stack, {"Resources": http_api(2, lambda_role), "Outputs": outputs}, Tags=tags)
    assert changed == "UPDATE_COMPLETE", stacks.events(stack)
    assert {name: stacks.physical_id(stack, name) for name in http_api(2, lambda_role)} == before
    assert httpx.get(f"{url}/open", trust_env=False).text == "2"
    api = aws("apigatewayv2").get_api(ApiId=api_id)
    assert "CorsConfiguration" not in api
    assert "Description" not in api
    assert api["Tags"]["team"] == "birds"
    guarded = aws("apigatewayv2").get_route(ApiId=api_id, RouteId=stacks.physical_id(stack, "Guarded"))
    assert not guarded.get("AuthorizationScopes")
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.events(stack)
    assert api_id not in json.dumps(aws("apigatewayv2").get_apis()["Items"], default=str)


def test_what_http_apis_lack_is_refused_by_name(stacks):
    resources = {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": "a", "ProtocolType": "HTTP", "Target": "arn:aws:lambda:us-east-1:1:function:f"},
        }
    }
    try:
        stack = stacks.create({"Resources": resources})
    except stacks.client.exceptions.ClientError as error:
        assert "Target" in str(error)  # noqa: PT017 - either is a refusal
    else:
        assert stacks.status(stack).startswith("ROLLBACK"), stacks.events(stack)
        assert any("Target" in reason for _, _, reason in stacks.events(stack))
