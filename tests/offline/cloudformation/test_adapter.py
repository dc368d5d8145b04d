"""Properties become API input by the API's own shapes."""

import boto3
import pytest

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.cloudformation.adapter import members, to_input


@pytest.fixture(scope="module")
def client():
    def make(service):
        return boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")

    return make


def test_names_and_scalars_follow_the_shape(client):
    wanted = {"LogGroupName": "group", "RetentionInDays": "7"}
    assert to_input(client("logs"), "PutRetentionPolicy", wanted) == {
        "logGroupName": "group",
        "retentionInDays": 7,
    }


def test_nested_structures_lists_and_booleans_follow_too(client):
    wanted = {
        "ApplicationName": "app",
        "DeploymentGroupName": "group",
        "ServiceRoleArn": "arn",
        "AlarmConfiguration": {"Enabled": "true", "Alarms": [{"Name": "a"}]},
    }
    given = to_input(client("codedeploy"), "CreateDeploymentGroup", wanted)
    assert given["alarmConfiguration"] == {"enabled": True, "alarms": [{"name": "a"}]}


def test_tags_become_a_map_where_the_api_wants_one(client):
    wanted = {"LogGroupName": "group", "Tags": [{"Key": "team", "Value": "birds"}]}
    assert to_input(client("logs"), "CreateLogGroup", wanted)["tags"] == {"team": "birds"}


def test_a_document_becomes_text_where_the_api_wants_text(client):
    given = to_input(client("events"), "PutRule", {"Name": "rule", "EventPattern": {"source": ["own"]}})
    assert given["EventPattern"] == '{"source": ["own"]}'


def test_what_the_shape_lacks_is_refused_by_name(client):
    wanted = {"LogGroupName": "group", "RetentionInDays": 7, "Colour": "red"}
    with pytest.raises(NotModelled, match="Colour of logs:PutRetentionPolicy"):
        to_input(client("logs"), "PutRetentionPolicy", wanted)


def test_members_leaves_out_what_the_operation_does_not_take(client):
    assert members(client("logs"), "DeleteLogGroup", {"LogGroupName": "group", "RetentionInDays": 7}) == {
        "logGroupName": "group"
    }
