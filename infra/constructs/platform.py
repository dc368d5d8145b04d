"""Lambda's Python versions and processors in the CDK library."""

from collections.abc import Mapping

from aws_cdk import aws_lambda as lambda_

RUNTIMES: Mapping[str, lambda_.Runtime] = {
    "python3.12": lambda_.Runtime.PYTHON_3_12,
    "python3.13": lambda_.Runtime.PYTHON_3_13,
    "python3.14": lambda_.Runtime.PYTHON_3_14,
}
ARCHITECTURES: Mapping[str, lambda_.Architecture] = {
    "x86_64": lambda_.Architecture.X86_64,
    "arm64": lambda_.Architecture.ARM_64,
}
