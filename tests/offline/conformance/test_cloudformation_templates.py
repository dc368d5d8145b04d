"""Templates: what is refused before anything is made, and what their values come to."""

import json

import pytest
from botocore.exceptions import ClientError

TOPIC = {"Type": "AWS::SNS::Topic"}


@pytest.fixture
def refused(stacks):
    """The error that a template gets from CreateStack."""

    def refused(template, **settings):
        with pytest.raises(ClientError) as error:
            stacks.start(template, **settings)
        return error.value.response["Error"]

    return refused


@pytest.fixture
def value(stacks):
    """What an expression evaluates to, as an output of a stack."""

    def value(expression, **sections):
        settings = {"Parameters": sections.pop("given")} if "given" in sections else {}
        outputs = {"Out": {"Value": expression}}
        return stacks.outputs(
            stacks.create({"Resources": {"News": TOPIC}, "Outputs": outputs, **sections}, **settings)
        )["Out"]

    return value


def message(error):
    assert error["Code"] == "ValidationError"
    return error["Message"]


# -- structure


def test_an_unknown_resource_type_is_refused(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"""
    error = refused({"Resources": {"News": {"Type": "AWS::SNS::Topics"}}})
    assert message(error) == "Template format error: Unrecognized resource types: [AWS::SNS::Topics]"


def test_a_missing_required_property_is_refused(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html"""
    error = refused({"Resources": {"Word": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String"}}}})
    assert "Required property [Value] not found (at /Resources/Word/Properties)" in message(error)


def test_validation_before_deployment_can_be_switched_off(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    word = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String"}}
    assert (
        stacks.status(stacks.create({"Resources": {"Word": word}}, DisableValidation=True)) == "ROLLBACK_COMPLETE"
    )


def test_a_template_needs_resources(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html"""
    error = refused({"Resources": {}})
    assert message(error) == "Template format error: At least one Resources member must be defined."


def test_an_unknown_section_is_refused(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html"""
    error = refused({"Resources": {"News": TOPIC}, "Extras": {}})
    assert message(error) == "Invalid template property or properties [Extras]"


def test_a_reference_to_nothing_is_refused(refused):
    """A reference to an unknown name is rejected.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
    """
    named = {**TOPIC, "Properties": {"DisplayName": {"Ref": "Nowhere"}}}
    assert message(refused({"Resources": {"News": named}})) == (
        "Template format error: Unresolved resource dependencies [Nowhere] in the Resources block of the template"
    )


def test_an_attribute_that_a_type_has_not_is_refused(refused):
    """An attribute that a type lacks is rejected.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getatt.html
    """
    outputs = {"Out": {"Value": {"Fn::GetAtt": ["Files", "Colour"]}}}
    error = refused({"Resources": {"Files": {"Type": "AWS::S3::Bucket"}}, "Outputs": outputs})
    assert message(error) == (
        "Template error: resource Files does not support attribute type Colour in Fn::GetAtt"
    )


def test_a_circle_of_dependencies_is_refused(refused):
    """A circular dependency is rejected.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
    """
    first, second = {**TOPIC, "DependsOn": "Second"}, {**TOPIC, "DependsOn": "First"}
    error = refused({"Resources": {"First": first, "Second": second}})
    assert message(error) == "Circular dependency between resources: [First, Second]"


def test_broken_json_is_refused_with_its_place(refused):
    """Malformed JSON is rejected with its position.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """
    assert message(refused('{"Resources": {')).startswith("Template format error: JSON not well-formed.")


@pytest.mark.parametrize(
    ("properties", "capability"), [({}, "CAPABILITY_IAM"), ({"RoleName": "named"}, "CAPABILITY_NAMED_IAM")]
)
def test_iam_resources_must_be_acknowledged(refused, properties, capability):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, **properties}}
    error = refused({"Resources": {"Role": role}})
    assert error["Code"] == "InsufficientCapabilitiesException"
    assert error["Message"] == f"Requires capabilities : [{capability}]"


def test_a_body_above_51200_bytes_must_come_from_s3(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
    error = refused({"Description": "x" * 51_200, "Resources": {"News": TOPIC}})
    assert "at 'templateBody' failed to satisfy constraint" in message(error)


def test_a_transform_is_refused_by_name(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-section-structure.html"""
    error = refused({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"News": TOPIC}})
    assert "does not model the template transform AWS::Serverless-2016-10-31" in error["Message"]


def test_a_wait_condition_is_refused_by_name(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html"""
    error = refused({"Resources": {"Gate": {"Type": "AWS::CloudFormation::WaitCondition"}}})
    assert (
        "does not model the resource type AWS::CloudFormation::WaitCondition (resource Gate)" in error["Message"]
    )


def test_yaml_with_short_forms_is_read(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html"""
    template = """
AWSTemplateFormatVersion: 2010-09-09
Conditions:
  Never: !Equals [a, b]
Resources:
  News:
    Type: AWS::SNS::Topic
Outputs:
  Name: {Value: !GetAtt News.TopicName}
  Said: {Value: !Sub "${AWS::Region}/${News.TopicName}"}
  Chosen: {Value: !If [Never, x, !Select [1, [p, q]]]}
"""
    outputs = stacks.outputs(stacks.create(template))
    assert outputs["Said"] == f"us-east-1/{outputs['Name']}"
    assert outputs["Chosen"] == "q"


# -- intrinsic functions


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-us-east-1"),
        ({"Fn::Select": ["1", {"Fn::Split": ["|", "a|b|c"]}]}, "b"),
        ({"Fn::Sub": ["${A}${!B}", {"A": "x"}]}, "x${B}"),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Join": [",", {"Fn::Cidr": ["10.0.0.0/24", 2, 5]}]}, "10.0.0.0/27,10.0.0.32/27"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "us-east-1a"),
        ({"Ref": "AWS::AccountId"}, "123456789012"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_intrinsic_functions(value, expression, expected):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html"""
    assert value(expression) == expected


def test_find_in_map(value):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-findinmap.html"""
    mappings = {"Sizes": {"us-east-1": {"small": "1"}}}
    assert value({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "small"]}, Mappings=mappings) == "1"


def test_conditions_combine(value):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html"""
    conditions = {
        "Yes": {"Fn::Equals": ["a", "a"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]}]},
    }
    assert value({"Fn::If": ["Both", "in", "out"]}, Conditions=conditions) == "in"


def test_a_resource_whose_condition_fails_is_not_made(stacks):
    """A resource whose condition is false is not created.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
    """
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"News": TOPIC, "Ghost": {**TOPIC, "Condition": "Never"}},
        "Outputs": {"Ghost": {"Condition": "Never", "Value": {"Ref": "Ghost"}}},
    }
    stack = stacks.create(template)
    assert stacks.statuses(stack, "Ghost") == []
    assert stacks.outputs(stack) == {}


def test_no_value_takes_a_property_away(stacks, aws):
    """AWS::NoValue removes a property.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    name = {"Fn::If": ["Never", "x", {"Ref": "AWS::NoValue"}]}
    stack = stacks.create(
        {"Conditions": conditions, "Resources": {"News": {**TOPIC, "Properties": {"TopicName": name}}}}
    )
    assert "-News-" in stacks.physical_id(stack, "News")


# -- parameters


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    [
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'Word' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A1", "Parameter 'Word' must match pattern [a-z]+"),
        ({"Type": "Number"}, "many", "Parameter 'Word' must be a number"),
        ({"Type": "Number", "MaxValue": 3}, "4", "Parameter 'Word' must be a number not greater than 3"),
        ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'Word' must contain at least 3 characters"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "small letters"},
            "A",
            "Parameter Word failed to satisfy constraint: small letters",
        ),
    ],
)
def test_a_parameter_s_rules_are_checked(refused, rule, given, expected):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"""
    template = {"Parameters": {"Word": rule}, "Resources": {"News": TOPIC}}
    error = refused(template, Parameters=[{"ParameterKey": "Word", "ParameterValue": given}])
    assert message(error) == expected


def test_a_parameter_without_a_value_is_refused(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"""
    error = refused({"Parameters": {"Word": {"Type": "String"}}, "Resources": {"News": TOPIC}})
    assert message(error) == "Parameters: [Word] must have values"


def test_a_value_for_no_parameter_is_refused(refused):
    """A value for an unknown parameter is rejected.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
    """
    error = refused({"Resources": {"News": TOPIC}}, Parameters=[{"ParameterKey": "Word", "ParameterValue": "x"}])
    assert message(error) == "Parameters: [Word] do not exist in the template"


def test_a_list_parameter_is_a_list(value):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"""
    parameters = {"Words": {"Type": "CommaDelimitedList", "Default": "a, b"}}
    assert value({"Fn::Join": ["+", {"Ref": "Words"}]}, Parameters=parameters) == "a+b"


def test_a_no_echo_parameter_is_masked(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"""
    template = {"Parameters": {"Secret": {"Type": "String", "NoEcho": True}}, "Resources": {"News": TOPIC}}
    stack = stacks.create(template, Parameters=[{"ParameterKey": "Secret", "ParameterValue": "s3cret"}])
    assert stacks.stack(stack)["Parameters"][0]["ParameterValue"] == "****"


def test_an_ssm_parameter_type_reads_parameter_store(stacks, aws, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html"""
    name = unique_name("/stored/word")
    aws("ssm").put_parameter(Name=name, Value="stored", Type="String")
    template = {
        "Parameters": {"Word": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}},
        "Resources": {"News": TOPIC},
        "Outputs": {"Out": {"Value": {"Ref": "Word"}}},
    }
    stack = stacks.create(template)
    assert stacks.outputs(stack) == {"Out": "stored"}
    parameter = stacks.stack(stack)["Parameters"][0]
    assert (parameter["ParameterValue"], parameter["ResolvedValue"]) == (name, "stored")


def test_an_assertion_of_a_rule_that_fails_refuses_the_stack(refused):
    """A failed assertion of a rule rejects the stack.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
    """
    assertion = {"Assert": {"Fn::Contains": [["a", "b"], {"Ref": "Word"}]}, "AssertDescription": "a or b only"}
    template = {
        "Parameters": {"Word": {"Type": "String", "Default": "c"}},
        "Rules": {"Known": {"Assertions": [assertion]}},
        "Resources": {"News": TOPIC},
    }
    assert "a or b only" in message(refused(template))


# -- dynamic references


def test_a_dynamic_reference_is_resolved_but_never_kept(stacks, aws, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"""
    secret = unique_name("secret")
    aws("secretsmanager").create_secret(Name=secret, SecretString=json.dumps({"word": "hidden"}))
    reference = f"{{{{resolve:secretsmanager:{secret}:SecretString:word}}}}"
    stack = stacks.create({"Resources": {"News": {**TOPIC, "Properties": {"DisplayName": reference}}}})
    attributes = aws("sns").get_topic_attributes(TopicArn=stacks.physical_id(stack, "News"))["Attributes"]
    assert attributes["DisplayName"] == "hidden"
    events = stacks.client.describe_stack_events(StackName=stack)["StackEvents"]
    assert "hidden" not in json.dumps(events, default=str)


def test_an_ssm_dynamic_reference_is_resolved(stacks, aws, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html"""
    name = unique_name("/dynamic/word")
    aws("ssm").put_parameter(Name=name, Value="found", Type="String")
    named = {**TOPIC, "Properties": {"DisplayName": f"<{{{{resolve:ssm:{name}}}}}>"}}
    stack = stacks.create({"Resources": {"News": named}})
    attributes = aws("sns").get_topic_attributes(TopicArn=stacks.physical_id(stack, "News"))["Attributes"]
    assert attributes["DisplayName"] == "<found>"


# -- templates looked at


def test_a_template_summary_names_parameters_types_and_capabilities(aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html"""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    template = {"Parameters": {"Word": {"Type": "String", "Default": "x"}}, "Resources": {"Role": role}}
    found = aws("cloudformation").get_template_summary(TemplateBody=json.dumps(template))
    assert found["ResourceTypes"] == ["AWS::IAM::Role"]
    assert found["Capabilities"] == ["CAPABILITY_IAM"]
    assert [(p["ParameterKey"], p["DefaultValue"]) for p in found["Parameters"]] == [("Word", "x")]


def test_validate_template_answers_with_the_parameters(aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html"""
    template = {
        "Description": "words",
        "Parameters": {"Word": {"Type": "String", "NoEcho": True}},
        "Resources": {"News": TOPIC},
    }
    found = aws("cloudformation").validate_template(TemplateBody=json.dumps(template))
    assert found["Description"] == "words"
    assert found["Parameters"][0]["NoEcho"] is True


def test_a_call_that_is_not_modelled_is_refused_by_name(aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html"""
    with pytest.raises(ClientError, match="cloudformation:DetectStackDrift"):
        aws("cloudformation").detect_stack_drift(StackName="any")


def test_a_malformed_function_is_a_validation_error(refused):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-if.html"""
    broken = {**TOPIC, "Properties": {"DisplayName": {"Fn::Sub": ["only one"]}}}
    assert message(refused({"Resources": {"News": broken}})).startswith("Template")
