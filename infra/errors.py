"""Errors before a template is written.

InfraError              base: the message is for the person who deploys, without a traceback
├── SettingsError       serinus.toml is invalid; ``issues`` lists every error in it
├── LintError           serinus.toml is valid, but AWS would reject or ignore some of its settings
└── ReleaseError        a lock, bundle or built layer is missing, damaged or a different one
"""

from collections.abc import Sequence
from dataclasses import dataclass


class InfraError(Exception):
    """Synth stops; the message gives the wrong value, the limit and the next step."""


@dataclass(frozen=True, slots=True)
class SettingsIssue:
    """One error in a settings file. ``line`` counts from 1; None if no line is at fault."""

    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key} {self.message}"


class SettingsError(InfraError):
    """All errors in one settings file, in the order of its lines."""

    def __init__(self, file: str, issues: Sequence[SettingsIssue]) -> None:
        self.issues = tuple(sorted(issues, key=lambda issue: (issue.line or 0, issue.key)))
        count = "1 error" if len(issues) == 1 else f"{len(issues)} errors"
        super().__init__("\n  ".join([f"{file} has {count}:", *map(str, self.issues)]))


class LintError(InfraError):
    """The lint found errors; ``lines`` holds each in full."""

    def __init__(self, file: str, environment: str, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
        super().__init__("\n  ".join([f"{file} has {count} in environment {environment}:", *lines]))


class ReleaseError(InfraError):
    """The output of `serinus package` or `serinus build` is missing, damaged or a different one."""
