"""Layers: publishing, using, and their limits; resource policies of layers and functions."""

import io
import json
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

IMPORTER = "import bird\ndef handler(event, context):\n    return bird.SONG\n"


@pytest.fixture
def layer(aws, zip_of, unique_name):
    """Publishes a layer version from files; returns the answer."""

    def publish(files, name=None, **settings):
        return aws("lambda").publish_layer_version(
            LayerName=name or unique_name("layer"), Content={"ZipFile": zip_of(files)}, **settings
        )

    return publish


def refusal(call, **parameters) -> dict[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    found: dict[str, str] = error.value.response["Error"]
    return found


@pytest.mark.parametrize("place", ["python/bird.py", "python/lib/python3.13/site-packages/bird.py"])
def test_a_layer_is_importable(aws, deploy_function, layer, place):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"""
    made = layer({place: "SONG = 'tweet'"})
    name = deploy_function(IMPORTER, Layers=[made["LayerVersionArn"]])
    assert aws("lambda").invoke(FunctionName=name)["Payload"].read() == b'"tweet"'


def test_a_later_layer_overwrites_an_earlier_one(aws, deploy_function, layer):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html"""
    first, second = layer({"python/bird.py": "SONG = 'first'"}), layer({"python/bird.py": "SONG = 'second'"})
    name = deploy_function(IMPORTER, Layers=[first["LayerVersionArn"], second["LayerVersionArn"]])
    assert aws("lambda").invoke(FunctionName=name)["Payload"].read() == b'"second"'


def test_the_functions_own_code_comes_before_layers(aws, deploy_function, layer, zip_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"""
    made = layer({"python/bird.py": "SONG = 'layer'"})
    code = {"ZipFile": zip_of({"app.py": IMPORTER, "bird.py": "SONG = 'own'"})}
    name = deploy_function(IMPORTER, Code=code, Layers=[made["LayerVersionArn"]])
    assert aws("lambda").invoke(FunctionName=name)["Payload"].read() == b'"own"'


def test_variables_may_name_files_of_a_layer(aws, deploy_function, layer):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"""
    made = layer({"model/data.txt": "egg"})
    code = "import os\ndef handler(event, context):\n    return open(os.environ['DATA']).read()\n"
    variables = {"Variables": {"DATA": "/opt/model/data.txt"}}
    name = deploy_function(code, Layers=[made["LayerVersionArn"]], Environment=variables)
    assert aws("lambda").invoke(FunctionName=name)["Payload"].read() == b'"egg"'


def test_layer_versions_are_numbered_and_never_reused(aws, layer, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html"""
    functions, name = aws("lambda"), unique_name("numbered")
    assert [layer({"a": str(n)}, name)["Version"] for n in range(2)] == [1, 2]
    functions.delete_layer_version(LayerName=name, VersionNumber=2)
    assert layer({"a": "again"}, name)["Version"] == 3
    listed = functions.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [each["Version"] for each in listed] == [3, 1]


def test_a_layer_can_be_read_by_name_and_arn_and_downloaded(aws, layer):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html"""
    made = layer({"python/bird.py": "x"}, Description="songs", CompatibleRuntimes=["python3.13"])
    assert made["LayerVersionArn"] == f"{made['LayerArn']}:1"
    by_arn = aws("lambda").get_layer_version_by_arn(Arn=made["LayerVersionArn"])
    by_name = aws("lambda").get_layer_version(LayerName=made["LayerArn"].split(":")[-1], VersionNumber=1)
    assert by_arn["Description"] == by_name["Description"] == "songs"
    assert by_arn["CompatibleRuntimes"] == ["python3.13"]
    with urllib.request.urlopen(by_arn["Content"]["Location"]) as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.read())).namelist() == ["python/bird.py"]


def test_layers_are_listed_with_their_newest_matching_version(aws, layer, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html"""
    name = unique_name("listed")
    layer({"a": "1"}, name, CompatibleRuntimes=["python3.12"])
    layer({"a": "2"}, name, CompatibleRuntimes=["python3.13"])
    found = {
        each["LayerName"]: each["LatestMatchingVersion"]["Version"]
        for each in aws("lambda").list_layers(CompatibleRuntime="python3.12")["Layers"]
    }
    assert found[name] == 1


def test_a_deleted_layer_version_still_serves_its_functions(aws, deploy_function, layer):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html"""
    made = layer({"python/bird.py": "SONG = 'tweet'"})
    name = deploy_function(IMPORTER, Layers=[made["LayerVersionArn"]])
    aws("lambda").delete_layer_version(LayerName=made["LayerArn"], VersionNumber=1)
    assert aws("lambda").invoke(FunctionName=name)["Payload"].read() == b'"tweet"'
    missing = refusal(aws("lambda").get_layer_version_by_arn, Arn=made["LayerVersionArn"])
    assert missing["Code"] == "ResourceNotFoundException"


def test_a_function_takes_five_layers(deploy_function, layer):
    """A function may have five layers.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    arns = [layer({f"file{n}": "x"})["LayerVersionArn"] for n in range(6)]
    deploy_function("x = 1", Layers=arns[:5])
    assert refusal(deploy_function, code="x = 1", Layers=arns)["Message"] == "Cannot reference more than 5 layers."


def test_an_unknown_layer_is_refused(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html"""
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:nobody:1"
    found = refusal(deploy_function, code="x = 1", Layers=[arn])
    assert found["Code"] == "InvalidParameterValueException"
    assert arn in found["Message"]


def test_code_and_layers_together_are_limited_to_250_mb(deploy_function, aws, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("zeros", bytes(130 * 1024 * 1024))
    arns = [
        aws("lambda").publish_layer_version(LayerName=unique_name("big"), Content={"ZipFile": target.getvalue()})[
            "LayerVersionArn"
        ]
        for _ in range(2)
    ]
    found = refusal(deploy_function, code="x = 1", Layers=arns)
    assert "exceeds the maximum allowed size of 262144000 bytes" in found["Message"]


def test_permissions_make_a_resource_policy(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""
    functions, name = aws("lambda"), deploy_function("x = 1", Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.add_permission(
        FunctionName=name,
        Qualifier="live",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn="arn:aws:execute-api:us-east-1:123456789012:abc/*",
    )
    policy = json.loads(functions.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    assert policy["Statement"] == [
        {
            "Sid": "api",
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{name}:live",
            "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:123456789012:abc/*"}},
        }
    ]
    assert refusal(functions.get_policy, FunctionName=name)["Code"] == "ResourceNotFoundException"


def test_a_statement_id_is_used_once_and_can_be_removed(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html"""
    functions, name = aws("lambda"), deploy_function("x = 1")
    added = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
    functions.add_permission(FunctionName=name, **added)
    assert refusal(functions.add_permission, FunctionName=name, **added)["Code"] == "ResourceConflictException"
    functions.remove_permission(FunctionName=name, StatementId="s")
    found = refusal(functions.remove_permission, FunctionName=name, StatementId="s")
    assert found["Code"] == "ResourceNotFoundException"


def test_layer_permissions(aws, layer):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html"""
    functions, made = aws("lambda"), layer({"a": "b"})
    which = {"LayerName": made["LayerArn"], "VersionNumber": 1}
    functions.add_layer_version_permission(
        **which, StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
    )
    policy = json.loads(functions.get_layer_version_policy(**which)["Policy"])
    assert policy["Statement"][0]["Resource"] == made["LayerVersionArn"]
    functions.remove_layer_version_permission(**which, StatementId="all")
    assert refusal(functions.get_layer_version_policy, **which)["Code"] == "ResourceNotFoundException"
