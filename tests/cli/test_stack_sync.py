"""The template with which a stack is told where its alias is."""

from serinus.cli.stack_sync import pin_alias

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
