"""All patches of moto that hold from the start; `time.follow` is one that needs a clock."""

from serinus.offline.moto import error_codes, iam, s3, server, sns


def apply() -> None:
    """Patch moto. To be called before moto serves its first request."""
    for patch in (error_codes, iam, s3, server, sns):
        patch.apply()
