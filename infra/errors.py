"""What can go wrong before a template stands.

InfraError              base: the message is for the person who deploys, without a traceback
├── SettingsError       serinus.toml; ``findings`` holds every one of them
├── LintError           serinus.toml is well-formed, but AWS would refuse or ignore what it asks for
└── ReleaseError        a lock, bundle or built layer that does not hold what is to be deployed
"""

from collections.abc import Sequence
from dataclasses import dataclass


class InfraError(Exception):
    """Synth stops: what is wrong with its value, the limit, and the next step."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in a settings file. ``line`` counts from 1; None where the file has no such line."""

    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key} {self.message}"


class SettingsError(InfraError):
    """Everything that is wrong in one settings file, in the order of its lines."""

    def __init__(self, file: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda finding: (finding.line or 0, finding.key)))
        count = "1 error" if len(findings) == 1 else f"{len(findings)} errors"
        super().__init__("\n  ".join([f"{file} has {count}:", *map(str, self.findings)]))


class LintError(InfraError):
    """What `serinus.infra.lint` calls errors; ``lines`` says each in full."""

    def __init__(self, file: str, environment: str, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
        super().__init__("\n  ".join([f"{file} has {count} in environment {environment}:", *lines]))


class ReleaseError(InfraError):
    """What `serinus package` or `serinus build` should have left is missing, damaged or another."""
