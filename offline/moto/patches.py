"""Applies all patches of moto but `time.follow`, which needs a clock."""

from serinus.offline.moto import error_codes, iam, logs, s3, server, sns


def apply() -> None:
    """Patch moto. Call it before moto serves its first request."""
    for patch in (error_codes, iam, logs, s3, server, sns):
        patch.apply()
