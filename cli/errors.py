"""The errors that the command line raises.

CliError                the command cannot continue; one line: the value, the limit, the next step (exit 1)
├── WrongUsage          an option's value is not valid (exit 2)
├── ToolFailed          a program that the command runs (cdk, npm, uv) failed (its exit code)
└── Interrupted         Ctrl-C; the message says what continues, or was stopped (exit 130)
"""

#: As a shell reports a program that Ctrl-C ended: 128 and the signal's number.
INTERRUPTED_EXIT_CODE = 130


class CliError(Exception):
    """The command cannot continue; the message says why and the next step."""


class WrongUsage(CliError):
    """An option's value is not valid; the message names the option, the value and what is valid."""

    exit_code = 2


class ToolFailed(CliError):
    """A program failed with ``exit_code``; it has printed the reason itself."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interrupted(CliError):
    """Ctrl-C; the message says what continues and how to stop it, or that everything was stopped."""

    exit_code = INTERRUPTED_EXIT_CODE
