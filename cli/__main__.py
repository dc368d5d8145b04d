"""`python -m cli` is `serinus`, for scripts that have the interpreter but not its PATH."""

from cli.main import main

main()
