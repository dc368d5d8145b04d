"""Errors at run time.

InferenceError
├── Refused          the response is a problem document (RFC 9457), for the caller to fix the request
├── UnknownEvent     the function was invoked with an event that is not an HTTP request
└── BadSetting       an environment variable has an invalid value, for the deployer to fix
"""

from serinus.lambda_handlers.inference.problems import Problem


class InferenceError(Exception):
    """Base of this package's errors."""


class Refused(InferenceError):
    """A request whose response is ``problem``."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem


class UnknownEvent(InferenceError):
    """The event is neither API Gateway's REST nor its HTTP API payload."""


class BadSetting(InferenceError):
    """An environment variable has an invalid value."""
