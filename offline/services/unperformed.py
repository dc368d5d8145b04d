"""Rejects operations that moto acknowledges but never performs, in services that are otherwise moto's.

A fake response passes a rehearsal and fails on AWS. Step Functions, Logs and S3 have such modules of their own.
"""

from collections.abc import Mapping
from typing import ClassVar

from moto.core.request import Request

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.protocol import AwsResponse
from serinus.offline.core.service import Service


class PartialMotoService(Service):
    """A service of moto's, without the ``unperformed`` operations, each with the reason."""

    unperformed: ClassVar[Mapping[str, str]]

    async def answer(self, request: Request, region: str, access_key: str) -> AwsResponse | None:
        del region, access_key
        operation, _ = self.operation_of(request)
        if operation not in self.unperformed:
            return None
        reason = self.unperformed[operation]
        return self._write(request, operation, NotModelled(f"{self.name}:{operation}", reason))


class Ecr(PartialMotoService):
    name = "ecr"
    unperformed = dict.fromkeys(
        ("StartImageScan", "DescribeImageScanFindings"), "It stores images but does not scan them."
    )


class SecretsManager(PartialMotoService):
    name = "secretsmanager"
    unperformed: ClassVar[Mapping[str, str]] = {
        "RotateSecret": "It stores secrets but does not invoke a function to rotate them."
    }


class Ssm(PartialMotoService):
    name = "ssm"
    unperformed = dict.fromkeys(
        ("SendCommand", "GetCommandInvocation", "ListCommands", "ListCommandInvocations"),
        "It stores parameters and documents but does not run commands.",
    )


UNPERFORMED: tuple[type[PartialMotoService], ...] = (Ecr, SecretsManager, Ssm)
