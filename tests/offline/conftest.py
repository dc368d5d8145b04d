"""A running cloud that all offline tests of one process share, and ways to talk to it."""

import io
import itertools
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from offline.cloud.cloud import Cloud
from offline.cloud.config import CloudConfig
from offline.cloud.serve import running

REGION = "us-east-1"
LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}

ClientFactory = Callable[..., Any]
_serial = itertools.count()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A cloud on a free port. It is shared: use names of your own (`unique_name`), change no global setting."""
    with running(CloudConfig(port=0, max_workers=8)) as started:
        yield started


@pytest.fixture(scope="session")
def aws(cloud: Cloud) -> ClientFactory:
    """A factory of boto3 clients onto the cloud: ``aws("lambda")``, ``aws("s3", region="eu-west-1")``."""
    clients: dict[tuple[str, str], Any] = {}

    def client(service: str, *, region: str = REGION) -> Any:
        if (service, region) not in clients:
            session = boto3.session.Session(
                aws_access_key_id="test", aws_secret_access_key="test", region_name=region
            )
            clients[service, region] = session.client(
                service,
                endpoint_url=cloud.config.endpoint_url,
                config=Config(
                    retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, parameter_validation=False
                ),
            )
        return clients[service, region]

    return client


@pytest.fixture
def unique_name() -> Callable[..., str]:
    """Names that no other test of this session uses."""

    def name(prefix: str = "thing") -> str:
        return f"{prefix}-{os.getpid()}-{next(_serial)}"

    return name


@pytest.fixture(scope="session")
def lambda_role(aws: ClientFactory) -> str:
    """The ARN of a role that Lambda may assume."""
    name = f"lambda-role-{os.getpid()}"
    created = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
    arn: str = created["Role"]["Arn"]
    return arn


def zip_of(files: dict[str, str | bytes]) -> bytes:
    """A zip archive of text or binary files by path."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return target.getvalue()


@pytest.fixture(name="zip_of", scope="session")
def zip_of_fixture() -> Callable[[dict[str, str | bytes]], bytes]:
    """`zip_of` for tests, which cannot import from here."""
    return zip_of


@pytest.fixture
def deploy_function(aws: ClientFactory, lambda_role: str, unique_name: Callable[..., str]) -> Iterator[Any]:
    """Creates a function from source text (module ``app``) and returns its name; deleted after the test.

    ``deploy_function("def handler(event, context): ...", Timeout=5)``; keyword arguments are CreateFunction's.
    """
    created: list[str] = []

    def deploy(code: str, **configuration: Any) -> str:
        name = configuration.pop("FunctionName", None) or unique_name("function")
        aws("lambda").create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Role": lambda_role,
                "Handler": "app.handler",
                "Code": {"ZipFile": zip_of({"app.py": code})},
                "Timeout": 10,
                "MemorySize": 256,
                **configuration,
            }
        )
        created.append(name)
        return name

    yield deploy
    for name in created:
        functions = aws("lambda")
        try:
            functions.delete_function(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            continue  # the test deleted it itself
