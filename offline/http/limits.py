"""Throttles: token buckets in real seconds, as API Gateway's.

A bucket holds ``burst`` tokens and is refilled with ``rate_per_s``.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from dataclasses import dataclass
from typing import Any

from serinus.offline.core.clock import monotonic


@dataclass(frozen=True, slots=True)
class Limit:
    rate_per_s: float
    burst: float

    @classmethod
    def of_plan(cls, throttle: dict[str, Any] | None) -> "Limit | None":
        """A usage plan's ``{"rateLimit", "burstLimit"}``; None if it sets none."""
        if not throttle:
            return None
        rate, burst = throttle.get("rateLimit"), throttle.get("burstLimit")
        return cls(float("inf") if rate is None else rate, float("inf") if burst is None else burst)


@dataclass(slots=True)
class TokenBucket:
    limit: Limit
    tokens: float
    refilled: float

    def take(self, now: float) -> bool:
        limit = self.limit
        self.tokens = min(limit.burst, self.tokens + max(now - self.refilled, 0.0) * limit.rate_per_s)
        self.refilled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Throttles:
    """The gateway's buckets by key; a changed limit starts a full bucket."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, ...], TokenBucket] = {}

    def allow(self, key: tuple[str, ...], limit: Limit) -> bool:
        """Take a token of ``key``; False if none is left."""
        now = monotonic()
        bucket = self._buckets.get(key)
        if bucket is None or bucket.limit != limit:
            bucket = self._buckets[key] = TokenBucket(limit, limit.burst, now)
        return bucket.take(now)
