"""Where the report goes: asked before the rehearsal, so that a minute later it is not lost."""

import os
import tempfile
from pathlib import Path

from cli.errors import WrongUsage


def require_writable(report: Path) -> None:
    """`WrongUsage` unless ``report`` can be written."""
    if report.is_dir():
        raise WrongUsage(f"--html {report} is a folder; name a file in it, such as {report / 'rehearsal.html'}.")
    if not report.parent.is_dir():
        raise WrongUsage(f"--html {report}: there is no folder {report.parent}; make it first.")
    try:
        with tempfile.NamedTemporaryFile(dir=report.parent, prefix=f".{report.name}"):
            pass
    except OSError as error:
        raise WrongUsage(f"--html {report}: {report.parent} cannot be written to ({error.strerror}).") from error


def write_report(report: Path, page: str) -> None:
    """Write ``page``, whole or not at all."""
    beside = report.with_name(f".{report.name}.{os.getpid()}")
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(report)
    finally:
        beside.unlink(missing_ok=True)
