"""IAM is moto's, with AWS's own managed policies present from the start.

Moto omits them by default; attaching `arn:aws:iam::aws:policy/ReadOnlyAccess`, as the CDK's bootstrap does,
would then fail with NoSuchEntity.
"""

from moto.core.config import default_user_config


def apply() -> None:
    """Load AWS's managed policies into moto. Call it before moto's IAM is first used."""
    default_user_config["iam"]["load_aws_managed_policies"] = True
