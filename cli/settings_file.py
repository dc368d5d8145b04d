"""Additions to serinus.toml that keep its layout, its comments and its line ends."""

from pathlib import Path

import tomlkit
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from serinus.cli.errors import CliError
from serinus.modelpack.atomic import write_file
from serinus.modelpack.locking import exclusive


def read_settings(settings: Path) -> tomlkit.TOMLDocument:
    """serinus.toml, as a document that keeps its layout; raises `CliError` if it is not TOML."""
    try:
        document = tomlkit.parse(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CliError(
            f"{settings} cannot be read as TOML: {error}. Correct it, then run the command again."
        ) from error
    if not isinstance(document.get("endpoint", tomlkit.table()), Table | OutOfOrderTableProxy):
        raise CliError(
            f"{settings}: endpoint must be a table of tables, [endpoint.NAME]. Correct it, then run the command "
            "again."
        )
    return document


def add_endpoint(settings: Path, model: str) -> bool:
    """Append an endpoint table for the model to serinus.toml if no endpoint serves it; returns whether it did.

    All that the file holds stays as it is, comments and line ends included. Raises `CliError` if it cannot be
    written, or would be no TOML with the table.
    """
    try:
        with exclusive(settings.parent):
            endpoints = read_settings(settings).get("endpoint", {})
            tables = [table for table in endpoints.values() if isinstance(table, dict)]
            if model in endpoints or any(table.get("model") == model for table in tables):
                return False
            write_file(settings.resolve(), _with_endpoint(settings.read_bytes(), model))
    except (OSError, TOMLKitError) as error:
        raise CliError(
            f"[endpoint.{model}] cannot be added to {settings} ({error}). The bundle is packaged and pinned: "
            "add the table."
        ) from error
    return True


def _with_endpoint(content: bytes, name: str) -> bytes:
    """``content`` and an endpoint table for ``name``, with the line ends of the first line."""
    end = b"\r\n" if content.partition(b"\n")[0].endswith(b"\r") else b"\n"
    last = content if content.endswith(b"\n") or not content else content + end
    blank = b"" if not last or last.endswith(end * 2) else end
    added = last + blank + f"[endpoint.{name}]".encode() + end
    tomlkit.parse(added)
    return added
