"""Clients and signers with any access key."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import Credentials

from serinus.offline.cloud.cloud import Cloud


def make_client(cloud: Cloud, service: str, key: str, secret: str, token: str | None = None, **config: Any) -> Any:
    return boto3.session.Session(key, secret, token, region_name="us-east-1").client(
        service,
        endpoint_url=cloud.config.endpoint_url,
        config=Config(retries={"total_max_attempts": 1}, proxies={}, **config),
    )


@pytest.fixture
def client_of() -> Callable[..., Any]:
    """A factory of boto3 clients: ``client_of(cloud, "s3", key_id, secret, token)``, then `Config`'s arguments."""
    return make_client


@pytest.fixture
def root_credentials(cloud: Cloud) -> Credentials:
    credentials: Credentials = cloud.config.root_key.credentials()
    return credentials
