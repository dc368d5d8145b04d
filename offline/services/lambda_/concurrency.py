"""Limits concurrent invocations: the function's reserved share, else the account's unreserved rest.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from serinus.offline.core.errors import AwsError
from serinus.offline.services.lambda_.state import Function

#: The concurrency that must stay unreserved in an account.
UNRESERVED_MINIMUM = 100


class Concurrency:
    """Counts invocations in flight, by function and among those that share the unreserved rest."""

    def __init__(self, account_limit: int) -> None:
        self.account_limit = account_limit
        self._by_function: dict[tuple[str, str], int] = {}
        self._unreserved: dict[str, int] = {}

    def in_flight(self, function: Function) -> int:
        return self._by_function.get((function.region, function.name), 0)

    def unreserved_in_flight(self, region: str) -> int:
        return self._unreserved.get(region, 0)

    @contextmanager
    def admit(self, function: Function, siblings: Iterable[Function]) -> Iterator[None]:
        """Count an invocation in flight; raises TooManyRequestsException at the limit."""
        key, reserved = (function.region, function.name), function.reserved_concurrency
        current = self._by_function.get(key, 0)
        if reserved is not None:
            if current >= reserved:
                raise throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        elif self.unreserved_in_flight(function.region) >= self.unreserved_limit(siblings):
            raise throttled("ConcurrentInvocationLimitExceeded")
        shares_rest = int(reserved is None)
        self._by_function[key] = current + 1
        self._unreserved[function.region] = self.unreserved_in_flight(function.region) + shares_rest
        try:
            yield
        finally:
            self._by_function[key] -= 1
            self._unreserved[function.region] -= shares_rest

    def unreserved_limit(self, functions: Iterable[Function]) -> int:
        """The account's limit in a region minus the reservations of its ``functions``."""
        return self.account_limit - sum(function.reserved_concurrency or 0 for function in functions)


def throttled(reason: str, message: str = "Rate Exceeded.") -> AwsError:
    """AWS's error for a throttled request; ``reason`` names the limit."""
    return AwsError("TooManyRequestsException", message, Reason=reason, Type="User")
