"""Rejects operations that moto acknowledges but never performs, in services that are otherwise moto's.

A made-up answer passes a rehearsal and fails on AWS. Step Functions and S3 refuse theirs in modules of their own.
"""

from collections.abc import Mapping
from typing import ClassVar

from moto.core.request import Request

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.protocol import Answer
from serinus.offline.core.service import Service


class MotoBut(Service):
    """A service of moto's, but for the operations that are ``unperformed``, each with the reason."""

    unperformed: ClassVar[Mapping[str, str]]

    async def answer(self, request: Request, region: str, access_key: str) -> Answer | None:
        del region, access_key
        operation, _ = self.operation_of(request)
        if operation not in self.unperformed:
            return None
        reason = self.unperformed[operation]
        return self._write(request, operation, NotModelled(f"{self.name}:{operation}", reason))


class Ecr(MotoBut):
    name = "ecr"
    unperformed = dict.fromkeys(
        ("StartImageScan", "DescribeImageScanFindings"), "It keeps images but does not scan them."
    )


class Logs(MotoBut):
    name = "logs"
    unperformed = dict.fromkeys(
        ("PutMetricFilter", "TestMetricFilter"),
        "No metrics are made of log events here, but for those in the embedded metric format.",
    )


class SecretsManager(MotoBut):
    name = "secretsmanager"
    unperformed: ClassVar[Mapping[str, str]] = {
        "RotateSecret": "It keeps secrets but calls no function to rotate them."
    }


class Ssm(MotoBut):
    name = "ssm"
    unperformed = dict.fromkeys(
        ("SendCommand", "GetCommandInvocation", "ListCommands", "ListCommandInvocations"),
        "It keeps parameters and documents but runs no commands.",
    )


UNPERFORMED: tuple[type[MotoBut], ...] = (Ecr, Logs, SecretsManager, Ssm)
