"""One HTTP request, as far as answering it needs: the same for the hot route and the face."""

from collections.abc import Callable
from typing import NamedTuple


class Call(NamedTuple):
    """``body`` is decoded; ``header`` gives a header by its lower-case name, None where there is none."""

    body: bytes
    header: Callable[[str], str | None]
