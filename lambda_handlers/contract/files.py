"""Reads files with `os.path`: pathlib, which nothing else in a function needs, takes 2 ms of its cold start."""
# ruff: noqa: PTH113, PTH118, PTH123

import os

Folder = str | os.PathLike[str]


def path_in(folder: Folder, name: str) -> str:
    """The path of ``name`` in ``folder``."""
    return os.path.join(folder, name)


def holds(folder: Folder, name: str) -> bool:
    """Whether ``folder`` has a file ``name``."""
    return os.path.isfile(path_in(folder, name))


def read_file(folder: Folder, name: str) -> bytes:
    """The content of ``name`` in ``folder``; raises `FileNotFoundError`, whose text names it."""
    with open(path_in(folder, name), "rb") as file:
        return file.read()
