"""`python -m serinus` is `serinus`, for scripts that have the interpreter but not its PATH."""

from serinus.cli.main import main

main()
