"""Each repair of moto's that CloudFormation needs, and moto without it: a failure here means it can go.

They run in processes of their own, because the repairs hold for a whole process.
"""

import json
import subprocess
import sys
import textwrap

import pytest

DENY_PLAIN_HTTP = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
    }
)


def under_moto(script: str) -> str:
    """What ``script`` prints, run against moto alone with fake credentials."""
    prelude = """
    import os, sys, warnings
    warnings.simplefilter("ignore")
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
    import boto3
    from botocore.exceptions import ClientError
    from moto import mock_aws
    """
    source = textwrap.dedent(prelude) + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    return done.stdout.strip()


UPLOAD = f"""
with mock_aws():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_bucket_policy(Bucket="files", Policy={DENY_PLAIN_HTTP!r})
    try:
        s3.put_object(Bucket="files", Key="a", Body=b"")
        print("stored")
    except ClientError as error:
        print(error.response["ResponseMetadata"]["HTTPStatusCode"])
"""

ATTACH = """
with mock_aws():
    iam = boto3.client("iam")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument="{}")
    try:
        iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        print("attached")
    except ClientError as error:
        print(error.response["Error"]["Code"])
"""


@pytest.mark.slow
def test_moto_denies_by_a_condition_that_does_not_hold():
    assert under_moto(UPLOAD) == "403"
    assert under_moto("from serinus.offline.moto import s3 as repair\nrepair.apply()\n" + UPLOAD) == "stored"


@pytest.mark.slow
def test_moto_lacks_the_managed_policies_of_aws():
    assert under_moto(ATTACH) == "NoSuchEntity"
    assert under_moto("from serinus.offline.moto import iam as repair\nrepair.apply()\n" + ATTACH) == "attached"
