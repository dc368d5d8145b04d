"""The exceptions that the offline cloud raises.

OfflineError                    the cloud itself could not do its work (start, stop, find a runtime)
└── AwsError                    an error that AWS would return; reaches the client in AWS's shape
    └── NotModelled             AWS supports it, this cloud does not: rejected by name, never skipped
"""

from typing import Any


class OfflineError(Exception):
    """The offline cloud could not do its work; the message names the problem and the next step."""


class AwsError(OfflineError):
    """An error response of an AWS API.

    ``code`` is the error's name in the service's model ("ResourceNotFoundException"); ``status`` overrides
    the HTTP status of the model; ``fields`` are further members of the error's shape ("Reason" of Lambda's
    TooManyRequestsException).
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields
        for name, value in fields.items():
            setattr(self, name, value)


class NotModelled(AwsError):
    """A call, resource type or property that this cloud does not model."""

    def __init__(self, what: str, hint: str = "") -> None:
        message = f"The offline cloud does not model {what}."
        super().__init__("NotImplemented", f"{message} {hint}".strip(), status=501)
