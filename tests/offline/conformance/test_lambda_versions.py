"""Versions and aliases: immutability, numbering, routing and its rules."""

import collections

import pytest
from botocore.exceptions import ClientError

HANDLER = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_FUNCTION_VERSION']\n"


def changed(number: int) -> str:
    return f"{HANDLER}# change {number}\n"


@pytest.fixture
def versions(aws, deploy_function, zip_of):
    """Publishes ``count`` versions of a new function; returns its name."""

    def publish(count: int, **configuration) -> str:
        functions, name = aws("lambda"), deploy_function(HANDLER, **configuration)
        for number in range(count):
            functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": changed(number)}))
            functions.publish_version(FunctionName=name)
        return name

    return publish


def refusal(call, **parameters) -> dict[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    found: dict[str, str] = error.value.response["Error"]
    return found


def test_versions_are_numbered_from_one(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"""
    name = versions(2)
    listed = aws("lambda").list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2"]
    assert listed[1]["FunctionArn"].endswith(f"{name}:1")


def test_publishing_an_unchanged_function_makes_no_version(aws, versions):
    """Publishing an unchanged function creates no version.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    """
    name = versions(1)
    assert aws("lambda").publish_version(FunctionName=name)["Version"] == "1"


def test_a_change_of_configuration_alone_makes_a_version(aws, versions):
    """A change of configuration alone creates a version.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    """
    name = versions(1)
    aws("lambda").update_function_configuration(FunctionName=name, Timeout=9)
    assert aws("lambda").publish_version(FunctionName=name)["Version"] == "2"


def test_a_version_keeps_code_and_settings(aws, versions, zip_of):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"""
    functions, name = aws("lambda"), versions(1, Environment={"Variables": {"WORD": "old"}})
    before = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"WORD": "new"}})
    functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": changed(99)}))
    after = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    before.pop("ResponseMetadata")
    after.pop("ResponseMetadata")
    assert after == before
    assert after["Environment"]["Variables"]["WORD"] == "old"


def test_a_number_is_never_used_again(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"""
    functions, name = aws("lambda"), versions(2)
    functions.delete_function(FunctionName=name, Qualifier="2")
    functions.update_function_configuration(FunctionName=name, Timeout=9)
    assert functions.publish_version(FunctionName=name)["Version"] == "3"


def test_publishing_checks_the_code_hash(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html"""
    found = refusal(aws("lambda").publish_version, FunctionName=versions(1), CodeSha256="bm90IHRoaXM=")
    assert found["Code"] == "InvalidParameterValueException"
    assert "is different from current CodeSHA256 in $LATEST" in found["Message"]


def test_publishing_checks_the_revision(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html"""
    found = refusal(aws("lambda").publish_version, FunctionName=versions(1), RevisionId="old")
    assert found["Code"] == "PreconditionFailedException"


def test_a_version_that_an_alias_names_cannot_be_deleted(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html"""
    functions, name = aws("lambda"), versions(2)
    functions.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    for version in ("1", "2"):
        found = refusal(functions.delete_function, FunctionName=name, Qualifier=version)
        assert found["Code"] == "ResourceConflictException"


def test_latest_cannot_be_deleted_alone(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html"""
    found = refusal(aws("lambda").delete_function, FunctionName=versions(1), Qualifier="$LATEST")
    assert found["Message"] == "$LATEST version cannot be deleted without deleting the function."


def test_create_with_publish_shows_version_one(aws, deploy_function, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
    name = deploy_function(HANDLER, Publish=True)
    assert aws("lambda").invoke(FunctionName=name, Qualifier="1")["ExecutedVersion"] == "1"


def test_an_alias_runs_its_version(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html"""
    functions, name = aws("lambda"), versions(2)
    made = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d")
    assert made["AliasArn"].endswith(f"{name}:live")
    answer = functions.invoke(FunctionName=name, Qualifier="live")
    assert (answer["ExecutedVersion"], answer["Payload"].read()) == ("1", b'"1"')
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert functions.invoke(FunctionName=f"{name}:live")["ExecutedVersion"] == "2"
    assert functions.get_alias(FunctionName=name, Name="live")["Description"] == "d"


def test_weights_share_an_alias_traffic(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html"""
    functions, name = aws("lambda"), versions(2)
    functions.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}},
    )
    runs = 200
    ran = collections.Counter(
        functions.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] for _ in range(runs)
    )
    assert ran["1"] + ran["2"] == runs
    five_standard_errors = 5 * (0.3 * 0.7 / runs) ** 0.5
    assert abs(ran["2"] / runs - 0.3) < five_standard_errors


def test_clearing_weights_ends_the_share(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html"""
    functions, name = aws("lambda"), versions(2)
    weights = {"AdditionalVersionWeights": {"2": 0.3}}
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    functions.update_alias(FunctionName=name, Name="live", Description="kept weights")
    assert functions.get_alias(FunctionName=name, Name="live")["RoutingConfig"] == weights
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig={})
    assert "RoutingConfig" not in functions.get_alias(FunctionName=name, Name="live")


@pytest.mark.parametrize(
    ("version", "weights", "code", "words"),
    [
        ("1", {"2": 0.1, "3": 0.1}, "InvalidParameterValueException", "cannot be greater than 1"),
        ("$LATEST", {"1": 0.5}, "InvalidParameterValueException", "$LATEST is not supported"),
        ("1", {"$LATEST": 0.5}, None, "$LATEST"),
        ("1", {"1": 0.5}, "InvalidParameterValueException", "already included"),
        ("1", {"2": 1.2}, "ValidationException", "less than or equal to 1"),
        ("1", {"2": -0.1}, "ValidationException", "greater than or equal to 0"),
        ("1", {"9": 0.5}, "ResourceNotFoundException", "Function not found"),
        ("9", {}, "ResourceNotFoundException", "Function not found"),
    ],
)
def test_weights_have_rules(aws, versions, version, weights, code, words):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html"""
    found = refusal(
        aws("lambda").create_alias,
        FunctionName=versions(3),
        Name="live",
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": weights},
    )
    assert code in (None, found["Code"])
    assert words in found["Message"]


@pytest.mark.parametrize("setting", ["Role", "DeadLetterConfig"])
def test_weighted_versions_share_role_and_dead_letter_queue(aws, versions, unique_name, setting):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html"""
    functions, name = aws("lambda"), versions(1)
    role = unique_name("other-role")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}'  # noqa: E501
    other = {
        "Role": aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"],
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"},
    }[setting]
    functions.update_function_configuration(FunctionName=name, **{setting: other})
    functions.publish_version(FunctionName=name)
    found = refusal(
        functions.create_alias,
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    assert found["Code"] == "InvalidParameterValueException"


def test_an_alias_name_is_used_once(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html"""
    functions, name = aws("lambda"), versions(1)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    found = refusal(functions.create_alias, FunctionName=name, Name="live", FunctionVersion="1")
    assert found["Code"] == "ResourceConflictException"
    assert found["Message"].startswith("Alias already exists: arn:aws:lambda:")


def test_an_alias_is_not_named_like_a_version(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html"""
    found = refusal(aws("lambda").create_alias, FunctionName=versions(1), Name="7", FunctionVersion="1")
    assert found["Code"] == "ValidationException"


def test_an_alias_update_checks_the_revision(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html"""
    functions, name = aws("lambda"), versions(2)
    old = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")["RevisionId"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RevisionId=old)
    found = refusal(functions.update_alias, FunctionName=name, Name="live", FunctionVersion="1", RevisionId=old)
    assert found["Code"] == "PreconditionFailedException"


def test_an_unknown_alias_is_not_found(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html"""
    found = refusal(aws("lambda").get_alias, FunctionName=versions(1), Name="nobody")
    assert found["Code"] == "ResourceNotFoundException"
    assert found["Message"].startswith("Cannot find alias arn: arn:aws:lambda:")


def test_aliases_are_listed_by_version(aws, versions):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html"""
    functions, name = aws("lambda"), versions(2)
    functions.create_alias(FunctionName=name, Name="old", FunctionVersion="1")
    functions.create_alias(FunctionName=name, Name="new", FunctionVersion="2")
    assert [each["Name"] for each in functions.list_aliases(FunctionName=name)["Aliases"]] == ["old", "new"]
    only = functions.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]
    assert [each["Name"] for each in only] == ["new"]
    functions.delete_alias(FunctionName=name, Name="old")
    assert [each["Name"] for each in functions.list_aliases(FunctionName=name)["Aliases"]] == ["new"]
