"""Errors of a hook, beyond a version that fails its check.

HookError
├── BadSetting         an environment variable is missing or unreadable, for the deployer to fix
├── BadDeployment      the deployment is of another function or alias than this hook watches
├── IncompleteMetrics  CloudWatch did not return all that was asked for
├── NotDeleted         Lambda refused to delete an old version
└── NoResponse         a version returned no response that could be compared
    ├── NotReady       Lambda cannot run the version yet, or a permission has not taken effect yet
    └── Throttled      Lambda rejected the request: nothing is known about the version
"""


class HookError(Exception):
    """Base of this package's errors."""


class BadSetting(HookError):
    """An environment variable is missing, or its value is invalid."""


class BadDeployment(HookError):
    """The deployment is not one of this endpoint's."""


class NoResponse(HookError):
    """A version did not return an HTTP response."""


class NotReady(NoResponse):
    """Rejected for a reason that may pass within a minute."""


class Throttled(NoResponse):
    """Rejected for concurrency, before the version was reached."""


class NotDeleted(HookError):
    """An old version that is no longer needed is still there."""


class IncompleteMetrics(HookError):
    """CloudWatch returned only a part of the metrics."""
