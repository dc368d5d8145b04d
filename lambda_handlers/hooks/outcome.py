"""The result of a release's check, in the words that CodeDeploy, CloudFormation and people receive."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the version may take traffic, and why (not). ``warnings`` are findings that did not fail it."""

    passed: bool
    reason: str
    warnings: tuple[str, ...] = ()
