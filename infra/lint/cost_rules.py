"""Settings that together cost more than either says."""

from collections.abc import Iterator

from serinus.infra import prices
from serinus.infra.lint.finding import Problem
from serinus.infra.settings import Endpoint, Settings

#: The live version and the one to go back to.
_FEW_VERSIONS = 2
_MB_A_GB = 1024


def check_snapshots(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A snapshot of each kept version, billed by the second whether it is restored or not
    (docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-pricing)."""
    config, kept = endpoint.settings, endpoint.settings.rollout.keep_versions
    if config.cold_start != "snapstart" or kept <= _FEW_VERSIONS:
        return
    each = config.memory_mb / _MB_A_GB * prices.SNAPSHOT_PER_GB_SECOND * prices.SECONDS_A_MONTH
    yield Problem(
        "warning",
        ("rollout", "keep_versions"),
        f"SnapStart keeps a snapshot of each of the {kept} kept versions, at about {each:.2f} dollars a month: "
        f"{kept * each:.2f} dollars",
        f"Set keep_versions = {_FEW_VERSIONS}, which still keeps the version before the live one",
    )
