"""IAM is moto's, with AWS's own managed policies present from the start.

Moto leaves them out unless asked; then attaching `arn:aws:iam::aws:policy/ReadOnlyAccess`, as the CDK's
bootstrap does, fails with NoSuchEntity.
"""

from moto.core.config import default_user_config


def apply() -> None:
    """Have moto know AWS's managed policies. To be called before its IAM is first used."""
    default_user_config["iam"]["load_aws_managed_policies"] = True
