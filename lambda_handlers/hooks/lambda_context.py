"""The part of Lambda's context object that hooks use."""

from typing import Protocol


class LambdaContext(Protocol):
    """Lambda's context, as far as it is used here."""

    def get_remaining_time_in_millis(self) -> int: ...
