"""What can go wrong at run time.

InferenceError
├── Refused          a request that is answered with a problem document (RFC 9457), for the caller to mend
├── UnknownEvent     the function was invoked with something that is no HTTP request
└── BadSetting       an environment variable that cannot be read, for the deployer to mend
"""

from serinus.lambda_handlers.inference.problems import Problem


class InferenceError(Exception):
    """Base of this package's errors."""


class Refused(InferenceError):
    """A request that gets ``problem`` as its answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem


class UnknownEvent(InferenceError):
    """The event is neither API Gateway's REST nor its HTTP API payload."""


class BadSetting(InferenceError):
    """An environment variable holds what its reader cannot use."""
