"""Functions: creating, reading, changing, deleting, and what AWS refuses."""

import io
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

HANDLER = "def handler(event, context):\n    return 'one'\n"
ACCOUNT = "arn:aws:lambda:us-east-1:123456789012"
OTHER = "def handler(event, context):\n    return 'two'\n"


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def message_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Message"]


def test_a_new_function_shows_aws_defaults(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
    name = deploy_function(HANDLER, Timeout=3, MemorySize=128)
    shown = aws("lambda").get_function_configuration(FunctionName=name)
    assert shown["Version"] == "$LATEST"
    assert shown["FunctionArn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert shown["Architectures"] == ["x86_64"]
    assert shown["EphemeralStorage"] == {"Size": 512}
    assert shown["TracingConfig"] == {"Mode": "PassThrough"}
    assert shown["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert shown["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert "Environment" not in shown


def test_a_function_is_pending_when_created_and_active_soon_after(
    aws, deploy_function, lambda_role, zip_of, unique_name
):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html"""
    functions, name = aws("lambda"), unique_name("pending")
    created = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=lambda_role,
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": HANDLER})},
    )
    assert created["State"] == "Pending"
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    assert functions.get_function(FunctionName=name)["Configuration"]["State"] == "Active"
    functions.delete_function(FunctionName=name)


def test_code_location_can_be_downloaded(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html"""
    name = deploy_function(HANDLER)
    location = aws("lambda").get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    assert archive.read("app.py").decode() == HANDLER


def test_code_may_come_from_s3(aws, deploy_function, zip_of, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html"""
    bucket = unique_name("code")
    aws("s3").create_bucket(Bucket=bucket)
    aws("s3").put_object(Bucket=bucket, Key="code.zip", Body=zip_of({"app.py": OTHER}))
    name = deploy_function(HANDLER, Code={"S3Bucket": bucket, "S3Key": "code.zip"})
    assert aws("lambda").invoke(FunctionName=name)["Payload"].read() == b'"two"'


def test_a_missing_s3_object_is_an_invalid_parameter(aws, deploy_function, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html"""
    bucket = unique_name("empty")
    aws("s3").create_bucket(Bucket=bucket)
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, Code={"S3Bucket": bucket, "S3Key": "none.zip"})
    assert code_of(error) == "InvalidParameterValueException"
    assert "S3 Error Code: NoSuchKey" in message_of(error)


def test_a_name_can_be_used_once(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html#API_CreateFunction_Errors"""
    name = deploy_function(HANDLER)
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, FunctionName=name)
    assert code_of(error) == "ResourceConflictException"
    assert message_of(error) == f"Function already exist: {name}"


def test_an_unknown_function_is_not_found_by_its_arn(aws, cloud):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html#API_GetFunction_Errors"""
    with pytest.raises(ClientError) as error:
        aws("lambda").get_function(FunctionName="nobody")
    assert code_of(error) == "ResourceNotFoundException"
    assert message_of(error) == "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody"


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("MemorySize", 127, "'memorySize' {rule}: Member must have value greater than or equal to 128"),
        ("MemorySize", 10241, "'memorySize' {rule}: Member must have value less than or equal to 10240"),
        ("Timeout", 0, "'timeout' {rule}: Member must have value greater than or equal to 1"),
        ("Timeout", 901, "'timeout' {rule}: Member must have value less than or equal to 900"),
        ("EphemeralStorage", {"Size": 511}, "'ephemeralStorage.size' {rule}"),
        ("Runtime", "python9.9", "'runtime' {rule}: Member must satisfy enum value set"),
        ("Architectures", ["sparc"], "{rule}: Member must satisfy enum value set"),
        ("Handler", "with space", "'handler' {rule}: Member must satisfy regular expression pattern"),
    ],
)
def test_settings_out_of_range_are_validation_errors(deploy_function, setting, value, complaint):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, **{setting: value})
    assert code_of(error) == "ValidationException"
    assert message_of(error).startswith("1 validation error detected: Value '")
    assert complaint.format(rule="failed to satisfy constraint") in message_of(error)


def test_several_validation_errors_come_in_one_answer(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html"""
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, MemorySize=1, Timeout=9999)
    assert message_of(error).startswith("2 validation errors detected: ")


def test_environment_variables_hold_4_kb(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    deploy_function(HANDLER, Environment={"Variables": {"BIG": "x" * (4096 - len('{"BIG":""}'))}})
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, Environment={"Variables": {"BIG": "x" * (4097 - len('{"BIG":""}'))}})
    assert code_of(error) == "InvalidParameterValueException"
    assert "exceeded the 4KB limit" in message_of(error)


def test_reserved_environment_variables_are_refused(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, Environment={"Variables": {"AWS_REGION": "mars-1", "FINE": "x"}})
    assert message_of(error).endswith("Reserved keys used in this request: AWS_REGION")


def test_a_role_that_lambda_may_not_assume_is_refused(aws, deploy_function, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html"""
    name = unique_name("role")
    aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    for role in (name, "never-made"):
        with pytest.raises(ClientError) as error:
            deploy_function(HANDLER, Role=f"arn:aws:iam::123456789012:role/{role}")
        assert message_of(error) == "The role defined for the function cannot be assumed by Lambda."


def test_a_retired_runtime_is_refused(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, Runtime="python3.7")
    assert "python3.7 is no longer supported" in message_of(error)


def test_what_is_no_zip_is_refused(deploy_function):
    """Code that is not a zip is rejected.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
    """
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, Code={"ZipFile": b"not a zip"})
    assert code_of(error) == "InvalidParameterValueException"
    assert message_of(error).startswith("Could not unzip uploaded file.")


def test_unzipped_code_is_limited_to_250_mb(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("zeros", "w", force_zip64=True) as entry,
    ):
        for _ in range(250):
            entry.write(bytes(1024 * 1024))
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, Code={"ZipFile": target.getvalue()})
    assert message_of(error) == "Unzipped size must be smaller than 262144000 bytes"


def test_new_code_runs_after_an_update(aws, deploy_function, zip_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html"""
    functions, name = aws("lambda"), deploy_function(HANDLER)
    before = functions.get_function_configuration(FunctionName=name)
    assert functions.invoke(FunctionName=name)["Payload"].read() == b'"one"'
    updated = functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": OTHER}))
    assert updated["LastUpdateStatus"] == "InProgress"
    assert updated["CodeSha256"] != before["CodeSha256"]
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert functions.invoke(FunctionName=name)["Payload"].read() == b'"two"'


def test_a_dry_run_update_changes_nothing(aws, deploy_function, zip_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html"""
    functions, name = aws("lambda"), deploy_function(HANDLER)
    before = functions.get_function_configuration(FunctionName=name)
    tried = functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": OTHER}), DryRun=True)
    assert tried["CodeSha256"] != before["CodeSha256"]
    assert functions.get_function_configuration(FunctionName=name)["CodeSha256"] == before["CodeSha256"]


def test_an_update_with_an_old_revision_is_refused(aws, deploy_function, zip_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html"""
    functions, name = aws("lambda"), deploy_function(HANDLER)
    old = functions.get_function_configuration(FunctionName=name)["RevisionId"]
    functions.update_function_configuration(FunctionName=name, Timeout=7, RevisionId=old)
    with pytest.raises(ClientError) as error:
        functions.update_function_configuration(FunctionName=name, Timeout=8, RevisionId=old)
    assert code_of(error) == "PreconditionFailedException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert functions.get_function_configuration(FunctionName=name)["Timeout"] == 7


def test_an_update_leaves_other_settings_alone(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html"""
    functions = aws("lambda")
    name = deploy_function(HANDLER, Environment={"Variables": {"AA": "1"}}, Description="kept")
    shown = functions.update_function_configuration(FunctionName=name, MemorySize=512)
    assert (shown["MemorySize"], shown["Description"]) == (512, "kept")
    assert shown["Environment"] == {"Variables": {"AA": "1"}}


@pytest.mark.parametrize(
    "unmodelled",
    [
        {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
        {"PackageType": "Image"},
        {"CodeSigningConfigArn": f"{ACCOUNT}:code-signing-config:csc-0123456789abcdefg"},
    ],
)
def test_what_is_not_modelled_is_refused_by_name(deploy_function, unmodelled):
    """Settings that are not modelled are refused by name.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    """
    with pytest.raises(ClientError) as error:
        deploy_function(HANDLER, **unmodelled)
    assert code_of(error) == "NotImplemented"
    assert next(iter(unmodelled)) in message_of(error)


def test_operations_that_are_not_modelled_are_refused_by_name(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html"""
    name = deploy_function(HANDLER)
    with pytest.raises(ClientError) as error:
        aws("lambda").create_function_url_config(FunctionName=name, AuthType="NONE")
    assert "lambda:CreateFunctionUrlConfig" in message_of(error)


def test_functions_are_listed_by_pages(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html"""
    names = {deploy_function(HANDLER) for _ in range(3)}
    pages = list(aws("lambda").get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Functions"]) <= 2 for page in pages)
    assert names <= {each["FunctionName"] for page in pages for each in page["Functions"]}


def test_a_deleted_function_is_gone(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html"""
    functions, name = aws("lambda"), deploy_function(HANDLER)
    functions.delete_function(FunctionName=name)
    with pytest.raises(ClientError) as error:
        functions.invoke(FunctionName=name)
    assert code_of(error) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "form", ["{name}", "function:{name}", "123456789012:function:{name}", "{arn}", "{arn}:$LATEST"]
)
def test_a_function_is_known_by_name_and_by_arn(aws, deploy_function, form):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html"""
    name = deploy_function(HANDLER)
    asked = form.format(name=name, arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}")
    assert aws("lambda").get_function_configuration(FunctionName=asked)["FunctionName"] == name


def test_functions_of_one_region_are_not_seen_in_another(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html"""
    name = deploy_function(HANDLER)
    with pytest.raises(ClientError) as error:
        aws("lambda", region="eu-west-1").get_function(FunctionName=name)
    assert code_of(error) == "ResourceNotFoundException"


def test_tags_can_be_set_listed_and_removed(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html"""
    functions, name = aws("lambda"), deploy_function(HANDLER, Tags={"team": "birds"})
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={"stage": "dev"})
    assert functions.list_tags(Resource=arn)["Tags"] == {"team": "birds", "stage": "dev"}
    functions.untag_resource(Resource=arn, TagKeys=["team"])
    assert functions.get_function(FunctionName=name)["Tags"] == {"stage": "dev"}


def test_account_settings_tell_limits_and_use(aws, deploy_function, cloud):
    """Account settings report limits and usage.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
    """
    deploy_function(HANDLER)
    settings = aws("lambda").get_account_settings()
    assert settings["AccountLimit"]["ConcurrentExecutions"] == cloud.config.account_concurrency
    assert settings["AccountLimit"]["CodeSizeUnzipped"] == 262144000
    assert settings["AccountUsage"]["FunctionCount"] >= 1
