"""What a function and a layer are given by a template, as Lambda then tells it."""

SOURCE = "def handler(event, context):\n    return None\n"


def test_a_functions_key_is_kept_and_taken_away(stacks, aws, lambda_role):
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    properties = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": lambda_role,
        "Code": {"ZipFile": SOURCE},
    }
    function = {"Type": "AWS::Lambda::Function", "Properties": {**properties, "KmsKeyArn": key}}
    stack = stacks.create({"Resources": {"Function": function}})
    name = stacks.physical_id(stack, "Function")
    assert aws("lambda").get_function_configuration(FunctionName=name)["KMSKeyArn"] == key
    without = {"Type": "AWS::Lambda::Function", "Properties": properties}
    assert stacks.update(stack, {"Resources": {"Function": without}}) == "UPDATE_COMPLETE", stacks.events(stack)
    assert "KMSKeyArn" not in aws("lambda").get_function_configuration(FunctionName=name)
    stacks.delete(stack)


def test_layers_and_their_permissions(stacks, aws, zip_of, unique_name):
    bucket = unique_name("layers")
    aws("s3").create_bucket(Bucket=bucket)
    aws("s3").put_object(Bucket=bucket, Key="layer.zip", Body=zip_of({"python/thing.py": "x = 1\n"}))
    layer = {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {
            "Content": {"S3Bucket": bucket, "S3Key": "layer.zip"},
            "CompatibleRuntimes": ["python3.13"],
        },
    }
    permission = {
        "Type": "AWS::Lambda::LayerVersionPermission",
        "Properties": {
            "LayerVersionArn": {"Ref": "Layer"},
            "Action": "lambda:GetLayerVersion",
            "Principal": "*",
        },
    }
    stack = stacks.create({"Resources": {"Layer": layer, "Permission": permission}})
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    arn = stacks.physical_id(stack, "Layer")
    assert "GetLayerVersion" in str(aws("lambda").get_layer_version_policy(
        LayerName=arn.rsplit(":", 1)[0], VersionNumber=int(arn.rsplit(":", 1)[1])
    )["Policy"])  # fmt: skip
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.events(stack)
