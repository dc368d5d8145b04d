"""This service's exceptions: AWS's ValidationError, and the failure of one resource."""

from serinus.offline.core.errors import AwsError, OfflineError


def invalid(message: str) -> AwsError:
    """The ValidationError that CloudFormation returns for nearly every error of a caller."""
    return AwsError("ValidationError", message, status=400)


class CloudStopping(OfflineError):
    """The cloud is being stopped: an operation is aborted and leaves every status as it is."""


class ResourceFailed(OfflineError):
    """A resource could not be created, updated or deleted; the message becomes the event's reason."""
