"""Whether the function's own settings leave room for a release."""

from collections.abc import Iterator

from serinus.infra.lint.alarm_rules import cold_start_ms
from serinus.infra.lint.finding import Problem
from serinus.infra.settings import Endpoint, Settings


def check_concurrency(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Golden requests are served from the same concurrency as live ones."""
    reserved = endpoint.settings.reserved_concurrency
    if reserved == 0:
        yield Problem(
            "warning",
            ("reserved_concurrency",),
            "0 stops the endpoint for the pre-traffic check too, so no new version can be released",
            "Remove it before the next release",
        )
    elif reserved == 1:
        yield Problem(
            "warning",
            ("reserved_concurrency",),
            "1 lets the checks of a release and live requests throttle each other",
            "Reserve 2 or more",
        )


def check_explanations(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A time limit of explanations beyond the function's own timeout, which answers without a reason."""
    explanations, timeout_ms = endpoint.settings.explanations, endpoint.settings.timeout_s * 1000
    if explanations is not None and explanations.max_ms is not None and explanations.max_ms >= timeout_ms:
        yield Problem(
            "error",
            ("explanations", "max_ms"),
            f"an explanation times out at timeout_s, after {timeout_ms} ms, before it can be refused at "
            f"{explanations.max_ms} ms",
            "Set less than timeout_s",
        )


def check_golden_limits(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A time limit of golden requests beyond the function's own timeout, or below what a cold start may take."""
    rollout, timeout_ms = endpoint.settings.rollout, endpoint.settings.timeout_s * 1000
    if "warm_limit_ms" in rollout.model_fields_set and rollout.warm_limit_ms >= timeout_ms:
        yield Problem(
            "warning",
            ("rollout", "warm_limit_ms"),
            f"a golden request times out at timeout_s, after {timeout_ms} ms, before it can exceed "
            f"{rollout.warm_limit_ms} ms",
            "Set less than timeout_s",
        )
    start_ms = cold_start_ms(endpoint.settings.memory_mb)
    if "cold_limit_ms" in rollout.model_fields_set and rollout.cold_limit_ms < start_ms:
        yield Problem(
            "warning",
            ("rollout", "cold_limit_ms"),
            f"cold starts may take {start_ms} ms with memory_mb = {endpoint.settings.memory_mb}, and a release is "
            f"stopped if two take more than {rollout.cold_limit_ms} ms",
            f"Set {start_ms} or more",
        )
