"""Every resource type that is modelled: made, changed in place, looked at by its own service, deleted."""

import json

import httpx
import pytest

from serinus.offline.services.cloudformation.registry import type_of
from serinus.offline.services.cloudformation.resources import RESOURCE_TYPES
from serinus.offline.services.cloudformation.schemas import schema_of

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
PUBLISH = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}],
}
ATTRIBUTES = [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "S"}]


def storage(revision):
    second = revision == 2
    index = {
        "IndexName": "by-time",
        "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    return {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "VersioningConfiguration": {"Status": "Suspended" if second else "Enabled"},
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                    ]
                },
                "LifecycleConfiguration": {
                    "Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 10 * revision}]
                },
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": second},
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "CorsConfiguration": {
                    "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": "60"}]
                },
            },
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {**PUBLISH, "Id": str(revision)}},
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": ATTRIBUTES if second else ATTRIBUTES[:1],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": second},
                "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
                **({"GlobalSecondaryIndexes": [index]} if second else {}),
            },
        },
        "Repository": {
            "Type": "AWS::ECR::Repository",
            "Properties": {"ImageTagMutability": "IMMUTABLE" if second else "MUTABLE"},
        },
    }


def security(revision):
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "Description": f"revision {revision}",
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"] if revision == 1 else [],
                "Policies": [{"PolicyName": f"inline{revision}", "PolicyDocument": READ}],
            },
        },
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": f"extra{revision}",
                "PolicyDocument": READ,
                "Roles": [{"Ref": "Role"}],
            },
        },
        "ManagedPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {**READ, "Id": str(revision)},
                "Roles": [{"Ref": "Role"}] if revision == 1 else [],
            },
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"Description": f"revision {revision}", "EnableKeyRotation": revision == 2},
        },
        "KeyAlias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {
                "AliasName": {"Fn::Sub": "alias/${AWS::StackName}"},
                "TargetKeyId": {"Ref": "Key"},
            },
        },
        "Word": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": f"revision {revision}"},
        },
    }


def messaging(revision):
    queue = {"Fn::GetAtt": ["Queue", "Arn"]}
    return {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30 * revision}},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {**PUBLISH, "Id": str(revision)},
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": f"revision {revision}"}},
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": {**PUBLISH, "Id": str(revision)},
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": queue,
                "RawMessageDelivery": revision == 2,
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "ScheduleExpression": f"rate({revision + 1} minutes)",
                "State": "DISABLED",
                "Targets": [{"Id": "queue", "Arn": queue}] if revision == 1 else [],
            },
        },
    }


def monitoring(revision):
    alarm = {
        "Namespace": "Own",
        "MetricName": "Count",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": revision,
        "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "Kind", "Value": "a"}],
    }
    widgets = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": f"revision {revision}"}}]})
    return {
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7 * revision}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Composite": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {
                "AlarmRule": {"Fn::Sub": 'ALARM("${Alarm}")'},
                "AlarmDescription": f"revision {revision}",
            },
        },
        "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": widgets}},
        "Application": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
        "Config": {
            "Type": "AWS::CodeDeploy::DeploymentConfig",
            "Properties": {
                "ComputePlatform": "Lambda",
                "TrafficRoutingConfig": {
                    "Type": "TimeBasedCanary",
                    "TimeBasedCanary": {"CanaryPercentage": 10, "CanaryInterval": 1},
                },
            },
        },
        "Group": {
            "Type": "AWS::CodeDeploy::DeploymentGroup",
            "Properties": {
                "ApplicationName": {"Ref": "Application"},
                "ServiceRoleArn": "arn:aws:iam::123456789012:role/codedeploy",
                "DeploymentConfigName": {"Ref": "Config"},
                "DeploymentStyle": {
                    "DeploymentType": "BLUE_GREEN",
                    "DeploymentOption": "WITH_TRAFFIC_CONTROL",
                },
                **(
                    {"AlarmConfiguration": {"Enabled": True, "Alarms": [{"Name": {"Ref": "Alarm"}}]}}
                    if revision == 1
                    else {}
                ),
            },
        },
        "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": f"v2:{revision}"}},
    }


@pytest.mark.parametrize("resources", [storage, security, messaging, monitoring])
def test_types_are_made_changed_and_deleted(stacks, resources):
    stack = stacks.create({"Resources": resources(1)}, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    before = {name: stacks.physical_id(stack, name) for name in resources(1)}
    tags = [{"Key": "team", "Value": "birds"}]
    changed = stacks.update(stack, {"Resources": resources(2)}, Capabilities=["CAPABILITY_NAMED_IAM"], Tags=tags)
    assert changed == "UPDATE_COMPLETE", stacks.events(stack)
    assert {name: stacks.physical_id(stack, name) for name in resources(2)} == before
    again = stacks.update(stack, {"Resources": resources(1)}, Capabilities=["CAPABILITY_NAMED_IAM"], Tags=[])
    assert again == "UPDATE_COMPLETE", stacks.events(stack)
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.events(stack)


SOURCE = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(%d)}\n"


def api(revision, role):
    here = {"RestApiId": {"Ref": "Api"}}
    root = {"Fn::GetAtt": ["Api", "RootResourceId"]}
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    integration = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": uri}}
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}
    setting = {"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 100 * revision}
    stage = {"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}
    return {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": role,
                "MemorySize": 256 * revision,
                "Code": {"ZipFile": SOURCE % revision},
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
            },
        },
        "Api": {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {
                "Name": f"api {revision}",
                "BinaryMediaTypes": ["image/png"] if revision == 1 else ["image/gif"],
                "EndpointConfiguration": {"Types": ["REGIONAL" if revision == 2 else "EDGE"]},
            },
        },
        "Model": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": {**here, "Schema": {**schema, "title": str(revision)}},
        },
        "Validator": {
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {**here, "ValidateRequestBody": revision == 2},
        },
        "Missing": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                **here,
                "ResponseType": "MISSING_AUTHENTICATION_TOKEN",
                "StatusCode": str(403 + revision),
            },
        },
        "Path": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {**here, "ParentId": root, "PathPart": "predict"},
        },
        "Method": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                **here,
                "ResourceId": {"Ref": "Path"},
                "HttpMethod": "GET",
                "AuthorizationType": "NONE",
                "ApiKeyRequired": True,
                "RequestValidatorId": {"Ref": "Validator"},
                "OperationName": f"predict{revision}",
                "Integration": integration,
            },
        },
        f"Deployment{revision}": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Method", "Missing"],
            "Properties": here,
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                **here,
                "StageName": "prod",
                "DeploymentId": {"Ref": f"Deployment{revision}"},
                "Variables": {"word": f"revision{revision}"},
                "MethodSettings": [setting],
                "AccessLogSetting": {
                    "DestinationArn": {"Fn::GetAtt": ["Log", "Arn"]},
                    "Format": f"$context.requestId {revision}",
                },
            },
        },
        "Log": {"Type": "AWS::Logs::LogGroup"},
        "Account": {"Type": "AWS::ApiGateway::Account", "Properties": {"CloudWatchRoleArn": role}},
        "ApiKey": {
            "Type": "AWS::ApiGateway::ApiKey",
            "Properties": {"Enabled": True, "Value": "k" * 24, "Description": f"revision {revision}"},
        },
        "Plan": {
            "Type": "AWS::ApiGateway::UsagePlan",
            "Properties": {
                "UsagePlanName": {"Fn::Sub": "${AWS::StackName}"},
                "ApiStages": [stage],
                "Throttle": {"RateLimit": 50 * revision, "BurstLimit": 10},
                "Quota": {"Limit": 1000 * revision, "Period": "DAY"},
            },
        },
        "PlanKey": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {"KeyId": {"Ref": "ApiKey"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        },
    }


def test_an_api_is_deployed_served_changed_and_deleted(stacks, cloud, lambda_role):
    stack = stacks.create({"Resources": api(1, lambda_role)})
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    url = f"{cloud.config.endpoint_url}/_gateway/{stacks.physical_id(stack, 'Api')}/prod"
    key = {"x-api-key": "k" * 24}
    assert httpx.get(f"{url}/predict", headers=key, trust_env=False).text == "1"
    assert httpx.get(f"{url}/nothing", trust_env=False).status_code == 404
    tags = [{"Key": "team", "Value": "birds"}]
    changed = stacks.update(stack, {"Resources": api(2, lambda_role)}, Tags=tags)
    assert changed == "UPDATE_COMPLETE", stacks.events(stack)
    assert httpx.get(f"{url}/predict", headers=key, trust_env=False).text == "2"
    assert httpx.get(f"{url}/nothing", trust_env=False).status_code == 405
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.events(stack)


@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=lambda kind: kind.type)
def test_what_a_type_models_is_in_the_registry_of_aws(kind):
    schema = schema_of(kind.type)
    assert schema is not None
    assert type_of(kind.type) is not None
    if "*" not in kind.modelled:
        assert kind.modelled <= set(schema.properties) - (schema.read_only - kind.modelled)
        assert set(schema.document.get("required", ())) <= kind.modelled
    assert {name for name in kind.attributes if name != "*"} <= schema.attributes
