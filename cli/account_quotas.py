"""Whether an account's quotas leave room for what endpoints reserve.

New accounts have reduced quotas: often ten concurrent executions, and functions of up to 3008 MB.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Iterator

from serinus.infra.settings import EndpointSettings, Settings

#: Concurrent executions of an account whose quotas are not reduced.
USUAL_CONCURRENCY = 1000
#: Executions that Lambda keeps unreserved for functions without a reservation of their own.
UNRESERVED_MINIMUM = 100
#: A function's memory in accounts with reduced quotas.
REDUCED_MEMORY_MB = 3008


def exceeded(settings: Settings, concurrent_executions: int) -> Iterator[str]:
    """What does not fit an account with so many concurrent executions, a sentence each."""
    available = max(0, concurrent_executions - UNRESERVED_MINIMUM)
    reserved = {item.name: reserved_executions(item.settings) for item in settings.endpoints}
    if (total := sum(reserved.values())) > available:
        named = ", ".join(f"{name} {count}" for name, count in reserved.items() if count)
        yield (
            f"reserved_concurrency and ready environments need {total} ({named}); an account with "
            f"{concurrent_executions} concurrent executions leaves {available} for them"
        )
    if concurrent_executions >= USUAL_CONCURRENCY:
        return
    for item in settings.endpoints:
        if item.settings.memory_mb > REDUCED_MEMORY_MB:
            yield (
                f"{item.name} has memory_mb = {item.settings.memory_mb}; an account with {concurrent_executions} "
                f"concurrent executions has reduced quotas, and may allow {REDUCED_MEMORY_MB}"
            )


def reserved_executions(settings: EndpointSettings) -> int:
    """Executions that an endpoint takes from its account's: ready environments are a part of a reservation."""
    if settings.reserved_concurrency is not None:
        return settings.reserved_concurrency
    return settings.provisioned.most if settings.cold_start == "provisioned" else 0
