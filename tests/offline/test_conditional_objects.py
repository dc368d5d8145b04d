"""What S3 promises to those who keep a state in it: conditional writes, ordered lists, and a closed bucket."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

CLOSED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}


@pytest.fixture
def bucket(aws: Callable[..., Any], unique_name: Callable[..., str]) -> str:
    name = unique_name("bucket")
    aws("s3").create_bucket(Bucket=name)
    return name


def test_an_object_is_written_only_if_there_is_none_or_only_if_it_is_unchanged(
    aws: Callable[..., Any], bucket: str
) -> None:
    """As https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html says."""
    s3 = aws("s3")
    first = s3.put_object(Bucket=bucket, Key="state", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed") as refused:
        s3.put_object(Bucket=bucket, Key="state", Body=b"2", IfNoneMatch="*")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    second = s3.put_object(Bucket=bucket, Key="state", Body=b"3", IfMatch=first)["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="state", Body=b"4", IfMatch=first)
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.put_object(Bucket=bucket, Key="none", Body=b"5", IfMatch=first)
    read = s3.get_object(Bucket=bucket, Key="state")
    assert (read["Body"].read(), read["ETag"]) == (b"3", second)


def test_objects_are_listed_by_prefix_after_a_key_in_pages(aws: Callable[..., Any], bucket: str) -> None:
    s3 = aws("s3")
    for key in (
        "lines/f/2026-01-01/a",
        "lines/f/2026-01-02/a",
        "lines/f/2026-01-03/a",
        "lines/g/2026-01-03/a",
        "z",
    ):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="lines/f/", StartAfter="lines/f/2026-01-01/z", PaginationConfig={"PageSize": 1}
    )
    assert [each["Key"] for page in pages for each in page["Contents"]] == [
        "lines/f/2026-01-02/a",
        "lines/f/2026-01-03/a",
    ]


def test_a_stack_makes_a_closed_bucket_that_outlives_it(aws: Callable[..., Any], stacks: Any) -> None:
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}
                ]
            },
            "LifecycleConfiguration": {
                "Rules": [{"Id": "lines", "Status": "Enabled", "Prefix": "lines/", "ExpirationInDays": 7}]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": CLOSED,
        },
    }
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [
            {"Fn::GetAtt": ["Bucket", "Arn"]},
            {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]},
        ],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }
    outputs = {"Name": {"Value": {"Ref": "Bucket"}}}
    stack = stacks.create({"Resources": {"Bucket": bucket, "Policy": policy}, "Outputs": outputs})
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    s3, name = aws("s3"), stacks.outputs(stack)["Name"]
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"] == CLOSED
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (rule["Filter"], rule["Expiration"]) == ({"Prefix": "lines/"}, {"Days": 7})
    kept = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"][0]
    assert kept["Condition"] == statement["Condition"]
    assert kept["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    s3.put_object(Bucket=name, Key="a", Body=b"kept")
    assert stacks.delete(stack) == "DELETE_COMPLETE"
    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == b"kept"
