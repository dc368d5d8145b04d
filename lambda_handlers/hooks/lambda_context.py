"""What hooks use of the context that Lambda hands them."""

from typing import Protocol


class Context(Protocol):
    """Lambda's context, as far as it is used here."""

    def get_remaining_time_in_millis(self) -> int: ...
