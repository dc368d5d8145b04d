"""A running cloud that all offline tests of one process share, and ways to talk to it."""

import dataclasses
import functools
import io
import itertools
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

REGION = "us-east-1"
LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}

ClientFactory = Callable[..., Any]
Play = Callable[..., None]
_serial = itertools.count()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A cloud on a free port. It is shared: use names of your own (`unique_name`), change no global setting."""
    with running(CloudConfig(port=0, max_workers=8)) as started:
        yield started


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Give a running cloud other readings until the test's end: ``play(cloud, alarm_polling="60")``."""

    def change(running_cloud: Cloud, **values: str) -> None:
        readings = running_cloud.config.readings.replaced(
            {name.replace("_", "-"): value for name, value in values.items()}
        )
        monkeypatch.setattr(running_cloud, "config", dataclasses.replace(running_cloud.config, readings=readings))

    return change


@pytest.fixture(scope="session")
def aws(cloud: Cloud) -> ClientFactory:
    """A factory of boto3 clients onto the cloud: ``aws("lambda")``, ``aws("s3", region="eu-west-1")``."""
    clients: dict[tuple[str, str], Any] = {}

    def client(service: str, *, region: str = REGION) -> Any:
        if (service, region) not in clients:
            session = boto3.session.Session(
                cloud.config.root_key.access_key_id,
                cloud.config.root_key.secret_access_key,
                region_name=region,
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


@pytest.fixture
def delete_later() -> Iterator[Callable[..., None]]:
    """Runs deletions after the test, in reverse order: ``delete_later(client.delete_api, ApiId="a")``.

    A resource that the test itself deleted is skipped.
    """
    deletions: list[Callable[[], Any]] = []
    yield lambda operation, **names: deletions.append(functools.partial(operation, **names))
    for delete in reversed(deletions):
        try:
            delete()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NotFoundException", "ResourceNotFoundException"):
                raise


@pytest.fixture(scope="session")
def lambda_role(aws: ClientFactory) -> str:
    """The ARN of a role that Lambda may assume, and that may do everything."""
    name = f"lambda-role-{os.getpid()}"
    created = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
    aws("iam").attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
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
def deploy_function(
    aws: ClientFactory, lambda_role: str, unique_name: Callable[..., str], delete_later: Callable[..., None]
) -> Callable[..., str]:
    """Creates a function from source text (module ``app``) and returns its name; deleted after the test.

    ``deploy_function("def handler(event, context): ...", Timeout=5)``; keyword arguments are CreateFunction's.
    """

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
        delete_later(aws("lambda").delete_function, FunctionName=name)
        return name

    return deploy


class Stacks:
    """Stacks of one test: made, changed, looked at, and deleted after it."""

    def __init__(self, client: Any, unique_name: Callable[..., str]) -> None:
        self.client = client
        self.made: list[str] = []
        self._unique_name = unique_name

    def start(self, template: Any, **settings: Any) -> str:
        """Begin to create a stack; returns its id. ``template`` is a document or its text."""
        name = settings.pop("StackName", None) or self._unique_name("stack")
        body = template if isinstance(template, str) else json.dumps(template)
        stack_id: str = self.client.create_stack(StackName=name, TemplateBody=body, **settings)["StackId"]
        self.made.append(stack_id)
        return stack_id

    def create(self, template: Any, **settings: Any) -> str:
        """A stack that stands, or has ended otherwise."""
        return self.settled(self.start(template, **settings))

    def update(self, stack_id: str, template: Any = None, **settings: Any) -> str:
        """Update a stack and wait for the end; returns the final status."""
        source = {"UsePreviousTemplate": True}
        if template is not None:
            source = {"TemplateBody": template if isinstance(template, str) else json.dumps(template)}
        self.client.update_stack(StackName=stack_id, **source, **settings)
        return self.status(self.settled(stack_id))

    def delete(self, stack_id: str, **settings: Any) -> str:
        self.client.delete_stack(StackName=stack_id, **settings)
        return self.status(self.settled(stack_id))

    def settled(self, stack_id: str) -> str:
        """Wait until no operation is under way; returns the id."""
        deadline = time.monotonic() + 60
        while self.status(stack_id).endswith("_IN_PROGRESS"):
            assert time.monotonic() < deadline, self.events(stack_id)
            time.sleep(0.02)
        return stack_id

    def stack(self, stack_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.describe_stacks(StackName=stack_id)["Stacks"][0]
        return found

    def status(self, stack_id: str) -> str:
        status: str = self.stack(stack_id)["StackStatus"]
        return status

    def outputs(self, stack_id: str) -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self.stack(stack_id)["Outputs"]}

    def events(self, stack_id: str) -> list[tuple[str, str, str]]:
        """(logical id, status, reason) of each event, oldest first; the stack itself is called "stack"."""
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        events = [event for page in pages for event in page["StackEvents"]]
        return [
            (
                "stack" if event["PhysicalResourceId"] == event["StackId"] else event["LogicalResourceId"],
                event["ResourceStatus"],
                event.get("ResourceStatusReason", ""),
            )
            for event in reversed(events)
        ]

    def statuses(self, stack_id: str, logical_id: str) -> list[str]:
        """The statuses that a resource (or "stack") went through."""
        return [status for name, status, _ in self.events(stack_id) if name == logical_id]

    def physical_id(self, stack_id: str, logical_id: str) -> str:
        found = self.client.describe_stack_resource(StackName=stack_id, LogicalResourceId=logical_id)
        identity: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return identity


@pytest.fixture
def stacks(aws: ClientFactory, unique_name: Callable[..., str]) -> Iterator[Stacks]:
    """CloudFormation stacks that go away after the test."""
    made = Stacks(aws("cloudformation"), unique_name)
    yield made
    for stack_id in reversed(made.made):
        made.client.update_termination_protection(StackName=stack_id, EnableTerminationProtection=False)
        made.client.delete_stack(StackName=stack_id)
