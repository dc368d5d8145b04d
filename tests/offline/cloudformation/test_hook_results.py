"""The CDK CLI lists the results of hooks where a change set fails; there are none, as no hook is taken."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

HOOK = {"Hooks": {"H": {"Type": "AWS::CodeDeploy::BlueGreen"}}}
TOPIC = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}


def test_no_hook_has_a_result_because_none_is_taken(
    aws: Callable[..., Any], stacks: Any, unique_name: Callable[..., str]
) -> None:
    client = aws("cloudformation")
    stack_id = stacks.create(TOPIC)
    changed = {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "new"}}}}
    change_set = client.create_change_set(
        StackName=stack_id, ChangeSetName="change", TemplateBody=json.dumps(changed)
    )["Id"]
    assert client.list_hook_results(TargetType="CHANGE_SET", TargetId=change_set)["HookResults"] == []
    with pytest.raises(ClientError, match=r"NotImplemented.*does not model the template's hooks"):
        client.create_stack(StackName=unique_name("stack"), TemplateBody=json.dumps({**TOPIC, **HOOK}))
