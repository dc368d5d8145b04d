"""Calls that reach moto at the same moment do not trip over each other."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.slow

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def eager_threads():
    """Threads that take turns so often that they meet each other half-way through anything."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_threads")
def test_roles_are_made_and_read_at_once(aws, unique_name):
    iam, prefix = aws("iam"), unique_name("role")

    def make(number):
        name = f"{prefix}-{number}"
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        )
        found = [iam.get_role(RoleName=name)["Role"]["RoleName"] for _ in range(3)]
        return found[-1]

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(make, range(300)))
        list(threads.map(lambda name: iam.delete_role(RoleName=name), made))
    assert made == [f"{prefix}-{number}" for number in range(300)]
