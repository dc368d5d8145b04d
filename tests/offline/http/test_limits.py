"""Token buckets fill with time and empty with requests."""

import pytest

from serinus.offline.http.limits import Limit, Throttles, TokenBucket


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    bucket = TokenBucket(Limit(rate_per_s=2, burst=3), tokens=3, refilled=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0.4) is False
    assert bucket.take(0.5) is True
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_a_changed_limit_starts_a_full_bucket() -> None:
    throttles = Throttles()
    assert throttles.allow(("a",), Limit(0, 1))
    assert not throttles.allow(("a",), Limit(0, 1))
    assert throttles.allow(("a",), Limit(0, 2))


@pytest.mark.parametrize(
    ("throttle", "limit"), [(None, None), ({"rateLimit": 2.0, "burstLimit": 1}, Limit(2.0, 1))]
)
def test_a_plans_throttle_may_be_missing(throttle: dict[str, float] | None, limit: Limit | None) -> None:
    assert Limit.of_plan(throttle) == limit
