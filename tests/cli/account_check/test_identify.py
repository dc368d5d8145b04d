"""The account is read before anything: its caller, and whether the CDK can deploy there."""

from collections.abc import Iterator

import boto3
import pytest

from serinus.cli.account_check.run import identify, require_ready
from serinus.cli.account_check.session import Caller
from serinus.cli.errors import CliError
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.stepped import SteppedCloud, stepped

#: Not the region of a test in the same process: moto's state is the process'.
REGION = "ap-southeast-4"


@pytest.fixture(scope="module")
def cloud() -> Iterator[SteppedCloud]:
    with stepped() as running:
        yield running


def use(cloud: SteppedCloud, monkeypatch: pytest.MonkeyPatch, key: str, secret: str) -> CloudTarget:
    """What a shell with these credentials takes for AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "SERINUS_LOCAL_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that it was made with
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.cloud.config.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    return CloudTarget(None, REGION)


def test_the_root_user_is_refused() -> None:
    """Offline, STS names no root user: the ARN is AWS's.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    root = Caller("123456789012", REGION, "arn:aws:iam::123456789012:root")
    with pytest.raises(CliError, match=r"credentials of the root user of account \d{12}.*AdministratorAccess"):
        require_ready(CloudTarget(None, REGION), root)


def test_an_account_without_bootstrap_is_refused_with_the_next_step(
    cloud: SteppedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="ada")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    target = use(cloud, monkeypatch, key["AccessKeyId"], key["SecretAccessKey"])
    account = cloud.cloud.config.account_id
    with pytest.raises(CliError, match=rf"not bootstrapped .* npx cdk bootstrap aws://{account}/{REGION}"):
        identify(target)


def test_credentials_that_are_refused_are_an_error_of_one_line(
    cloud: SteppedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CliError, match=r"the account cannot be read: .* `serinus doctor` checks the credentials"):
        identify(use(cloud, monkeypatch, "AKIAUNKNOWN000000000", "none"))
