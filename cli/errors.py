"""What the command itself raises.

CliError                the command cannot go on; one line: what, the limit, the next step (exit 1)
├── WrongUsage          the value of an option cannot be (exit 2)
├── ToolFailed          a program that the command runs (cdk, npm, uv) ended with an error (its exit code)
└── Interrupted         Ctrl-C; the message says what goes on without the command, or was taken down (exit 130)
"""


class CliError(Exception):
    """The command cannot go on; the message says what and the next step."""


class WrongUsage(CliError):
    """The value of an option cannot be; the message names the option, the value and what would do."""

    exit_code = 2


class ToolFailed(CliError):
    """A program that was run ended with ``exit_code``; it has told the user why itself."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interrupted(CliError):
    """Ctrl-C; the message says what goes on all the same and how to end it, or that all was taken down."""

    exit_code = 130
