"""This service's exceptions: AWS's ValidationError, and the failure of one resource."""

from serinus.offline.core.errors import AwsError, OfflineError


def invalid(message: str) -> AwsError:
    """The ValidationError with which CloudFormation answers nearly everything that a caller got wrong."""
    return AwsError("ValidationError", message, status=400)


class Closing(OfflineError):
    """The cloud is being stopped: an operation breaks off and leaves every status as it is."""


class ResourceFailed(OfflineError):
    """A resource could not be made, changed or deleted; the message becomes the event's reason."""
