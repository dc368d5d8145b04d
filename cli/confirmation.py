"""Asks before a change; programs, which cannot answer, pass --yes."""

import sys

import typer

from serinus.cli.errors import WrongUsage


def require_confirmation(question: str) -> None:
    """Return if a person answers ``question`` with yes; raises `typer.Abort` for no, and `WrongUsage` where there
    is no terminal to ask on."""
    if not sys.stdin.isatty():
        raise WrongUsage("without a terminal, --yes is required to confirm this. Nothing was changed.")
    typer.confirm(question, abort=True, err=True)
