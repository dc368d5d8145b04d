"""The file that --html names: checked before the work, and written whole or not at all."""

import tempfile
from pathlib import Path

from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.os_errors import describe
from serinus.modelpack.atomic import write_file


def require_writable(page: Path) -> None:
    """`WrongUsage` unless ``page`` can be written. It must end with .html: a file of that name is replaced."""
    if page.is_dir():
        raise WrongUsage(f"--html {page} is a folder. Name a file in it, such as {page / 'page.html'}.")
    if page.suffix != ".html":
        raise WrongUsage(
            f"--html {page} does not end with .html, and other files are not replaced. Name a page, such as "
            f"{page.with_name(page.name + '.html')}."
        )
    if not page.parent.is_dir():
        raise WrongUsage(f"--html {page}: there is no folder {page.parent}. Create it first.")
    try:
        with tempfile.NamedTemporaryFile(dir=page.parent, prefix=f".{page.name}"):
            pass
    except OSError as error:
        raise WrongUsage(f"--html {page}: {page.parent} cannot be written to ({error.strerror}).") from error


def write_page(page: Path, content: str) -> None:
    """Write ``content``, whole or not at all, creating the folder; raises `CliError` on failure."""
    try:
        write_file(page, content.encode())
    except OSError as error:
        raise CliError(f"{page} could not be written: {describe(error)}") from error
