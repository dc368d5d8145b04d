"""What a check of a release comes to, in the words that CodeDeploy, CloudFormation and people hear."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the version may take traffic, and why (not). ``warnings`` are what was let through."""

    passed: bool
    reason: str
    warnings: tuple[str, ...] = ()
