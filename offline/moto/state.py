"""The state of the services that moto serves: its backends, by service."""

from typing import Any

from moto.backends import get_backend

#: Moto's names of the services whose state is its own. SNS' subscriptions live there too.
SERVICES = (
    "dynamodb",
    "ecr",
    "iam",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
)

#: A backend by (account id, region), or by partition if a service has no regions.
Backends = dict[tuple[str, str], Any]


def snapshot(service: str, account_id: str) -> Backends:
    """The backends of one account; live objects, to be pickled at once."""
    backends: Any = get_backend(service)
    if account_id not in list(backends):
        return {}
    regions = list(backends[account_id].items())
    # Moto creates IAM's backends for all partitions at once; this cloud serves only `aws`.
    return {
        (account_id, region): backend for region, backend in regions if region == "aws" or "aws-" not in region
    }


def restore(service: str, saved: Backends) -> None:
    """Replace moto's backends with saved ones."""
    backends: Any = get_backend(service)
    for (account_id, region), backend in saved.items():
        dict.__setitem__(backends[account_id], region, backend)
