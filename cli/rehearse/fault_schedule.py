"""When a release's fault is there: from the start or from a minute of its shift on, and each minute anew."""

import math
from collections.abc import Mapping
from typing import Any

from serinus.cli.rehearse.environment import RehearsalEnvironment
from serinus.cli.rehearse.injection import Injection
from serinus.cli.release_reader import AliasState

#: Cloud seconds after which the environments of a candidate with slow starts are removed again.
RECYCLE_EVERY_S = 60.0


class FaultSchedule:
    """Gives ``injection``'s fault to every version of ``function`` but ``stable``, ``after_s`` cloud seconds after
    traffic was first shifted."""

    def __init__(
        self,
        environment: RehearsalEnvironment,
        function: str,
        stable: str,
        injection: Injection | None,
        *,
        after_s: float,
    ) -> None:
        self._environment, self._function, self._stable = environment, function, stable
        self._fault: Mapping[str, Any] = injection.fault if injection else {}
        self._recycles = injection is not None and injection.recycle
        self._recycled_at = -math.inf
        self._after_s, self._shifting_since = after_s, math.inf
        self._pending = after_s > 0

    def start(self) -> None:
        """Set the fault, or none yet."""
        self._set({} if self._pending else self._fault)

    def proceed(self, alias: AliasState, now: float) -> None:
        """Do what is due at ``now`` (cloud time, epoch seconds), at which ``alias`` was read."""
        # Without weights, the new version is the only one.
        canary = alias.canary or alias.version
        if canary == self._stable:
            return
        self._shifting_since = min(self._shifting_since, now)
        if self._pending and now >= self._shifting_since + self._after_s:
            self._pending = False
            self._set(self._fault)
        if self._recycles and now - self._recycled_at >= RECYCLE_EVERY_S:
            self._recycled_at = now
            self._environment.recycle(self._function, canary)

    def _set(self, fault: Mapping[str, Any]) -> None:
        self._environment.set_fault(self._function, self._stable, fault)
