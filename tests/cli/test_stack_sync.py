"""The template with which a stack is told where its alias is."""

import pytest

from serinus.cli.errors import CliError
from serinus.cli.stack_sync import asset_bucket, dns_suffix, pin_alias

TEMPLATE = {
    "Resources": {
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"Name": "live", "FunctionVersion": {"Fn::GetAtt": ["Version2", "Version"]}},
            "UpdatePolicy": {"CodeDeployLambdaAliasUpdate": {}},
        },
        "Version2": {"Type": "AWS::Lambda::Version", "Properties": {}},
    },
    "Outputs": {"FunctionVersion": {"Value": "x"}, "ModelVersion": {"Value": "b"}, "Url": {"Value": "u"}},
}


def test_alias_and_outputs_name_the_version_outright_and_nothing_else_changes() -> None:
    pinned = pin_alias(TEMPLATE, "1", "a" * 64)
    alias = pinned["Resources"]["Alias"]
    assert alias["Properties"] == {"Name": "live", "FunctionVersion": "1"}
    assert "UpdatePolicy" not in alias
    assert pinned["Resources"]["Version2"] == TEMPLATE["Resources"]["Version2"]
    assert {key: value["Value"] for key, value in pinned["Outputs"].items()} == {
        "FunctionVersion": "1", "ModelVersion": "a" * 64, "Url": "u"
    }  # fmt: skip


def test_the_given_template_stays_as_it_is() -> None:
    pin_alias(TEMPLATE, "1", "a" * 64)
    assert "UpdatePolicy" in TEMPLATE["Resources"]["Alias"]


def test_a_hotfix_before_is_no_longer_noted() -> None:
    template = {**TEMPLATE, "Outputs": {**TEMPLATE["Outputs"], "Hotfix": {"Value": "churn 0123"}}}
    assert "Hotfix" not in pin_alias(template, "1", "a" * 64)["Outputs"]


@pytest.mark.parametrize(
    ("written", "bucket"),
    [
        (
            {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"},
            "cdk-hnb659fds-assets-123456789012-cn-north-1",
        ),
        ("cdk-ours-assets-123456789012-cn-north-1", "cdk-ours-assets-123456789012-cn-north-1"),
    ],
)
def test_a_large_template_goes_where_the_stacks_own_code_is(written: object, bucket: str) -> None:
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Bucket": written}}}
    inline = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "pass"}}}
    resources = {"Inline": inline, "Function": function}
    assert asset_bucket({"Resources": resources}, "cn-north-1", "123456789012") == bucket


def test_without_such_code_the_next_step_is_said() -> None:
    with pytest.raises(CliError, match="Deploy the endpoint again"):
        asset_bucket({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, "eu-west-1", "123456789012")


@pytest.mark.parametrize(
    ("partition", "suffix"),
    [("aws", "amazonaws.com"), ("aws-us-gov", "amazonaws.com"), ("aws-cn", "amazonaws.com.cn")],
)
def test_hosts_end_as_in_their_partition(partition: str, suffix: str) -> None:
    assert dns_suffix(partition) == suffix
