"""What can go wrong in a hook, beyond a version that fails its check.

HookError
├── BadSetting       an environment variable that is missing or cannot be read, for the deployer to mend
├── BadDeployment    CodeDeploy speaks of another function or alias than this hook watches
└── NoAnswer         a version gave no answer that could be compared
    └── Throttled    Lambda did not let the request through: nothing is known about the version
"""


class HookError(Exception):
    """Base of this package's errors."""


class BadSetting(HookError):
    """An environment variable is missing, or holds what its reader cannot use."""


class BadDeployment(HookError):
    """The deployment is none of this endpoint's."""


class NoAnswer(HookError):
    """A request that a version did not answer in the form of an HTTP answer."""


class Throttled(NoAnswer):
    """Refused for concurrency, before the version was reached."""
