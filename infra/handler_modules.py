"""Finds the files that a handler needs by its imports, so that an asset holds these and no others.

A change to any other file then changes neither the asset's hash nor the published function version. Imports within
functions count; those under `if TYPE_CHECKING:` do not. Files that are not Python belong to the package whose
folder they are in, and are included with it.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from serinus.infra.errors import InfraError

#: Never part of an asset though it lies in a package.
_LEFT_OUT_NAMES = frozenset({"py.typed", "__pycache__"})


def handler_files(root: Path, entry: str) -> tuple[Path, ...]:
    """Files, relative to ``root`` and sorted, that importing module ``entry`` (dotted) can reach within its own
    top-level package. ``root`` is the folder that holds that package: a checkout or site-packages."""
    reached: dict[str, Path] = {}
    waiting = [entry]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        path = _find(root, module)
        if path is None:
            raise InfraError(f"module {module} is not in {root}. Install serinus again.")
        reached[module] = path
        waiting += [name for name in _needs(root, module, path) if name not in reached]
    data = {file for path in reached.values() if path.name == "__init__.py" for file in _data_files(path.parent)}
    return tuple(sorted(file.relative_to(root) for file in {*reached.values(), *data}))


def _needs(root: Path, module: str, path: Path) -> Iterator[str]:
    """Modules of the same top-level package that ``module`` imports, its own packages among them."""
    package = module.partition(".")[0]
    base = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for name in {*_parents(module), *_imports(path.read_bytes(), base)}:
        if name.partition(".")[0] == package:
            yield from (known for known in (name, *_parents(name)) if _find(root, known) is not None)


@lru_cache(maxsize=512)
def _imports(source: bytes, base: str) -> frozenset[str]:
    """`_imported` by ``source``: the handlers of a stack share most of their modules."""
    return frozenset(_imported(ast.parse(source), base))


def _imported(node: ast.AST, base: str) -> Iterator[str]:
    """Dotted names that code imports: of modules, and of possible modules within a package."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        source = _absolute(node, base)
        yield source
        yield from (f"{source}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.If) and _only_for_types(node.test):
        for otherwise in node.orelse:
            yield from _imported(otherwise, base)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imported(child, base)


def _absolute(node: ast.ImportFrom, base: str) -> str:
    if node.level == 0:
        return node.module or ""
    anchor = ".".join(base.split(".")[: len(base.split(".")) - node.level + 1])
    return f"{anchor}.{node.module}" if node.module else anchor


def _only_for_types(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _find(root: Path, module: str) -> Path | None:
    folder = root.joinpath(*module.split("."))
    for path in (folder / "__init__.py", folder.with_name(folder.name + ".py")):
        if path.is_file():
            return path
    return None


def _data_files(package: Path) -> Iterator[Path]:
    """Files of a package that are not Python, also in folders that are not packages themselves."""
    for path in package.iterdir():
        if path.name in _LEFT_OUT_NAMES or path.suffix in (".py", ".pyc"):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and not (path / "__init__.py").exists():
            yield from _data_files(path)
