"""What import-linter cannot express of the offline cloud's layers."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from serinus.offline.core.ports import CloudContext, Ports

OFFLINE = Path(__file__).parents[2] / "offline"
CHANGING = frozenset({"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"})


def modules_outside(folder: str) -> Iterator[Path]:
    yield from (path for path in OFFLINE.rglob("*.py") if path.relative_to(OFFLINE).parts[0] != folder)


def test_services_are_looked_up_by_name_in_the_composition_root_alone() -> None:
    users = [str(path) for path in modules_outside("cloud") if "by_name" in path.read_text()]
    assert users == []
    assert not {"services", "by_name"} & {*dir(CloudContext), *Ports.__dataclass_fields__}


def test_moto_is_patched_in_its_folder_alone() -> None:
    patches = [
        f"{path.relative_to(OFFLINE)}:{node.lineno}"
        for path in modules_outside("moto")
        for node in changes_of_moto(ast.parse(path.read_text()))
    ]
    assert patches == []


def test_a_type_name_means_one_thing() -> None:
    """A class is defined once; an alias may be repeated with the same value, as `Document` is by floors without a
    common lower one."""
    definitions: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path in OFFLINE.rglob("*.py"):
        for line, name, value in types_of(ast.parse(path.read_text())):
            position = f"{path.relative_to(OFFLINE)}:{line}"
            definitions[name][value or position] = position
    repeated = {name: list(each.values()) for name, each in definitions.items() if len(each) > 1}
    assert repeated == {}


def types_of(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """The line and name of each class and type alias that a module defines, and an alias's value."""
    yield from ((node.lineno, node.name, "") for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name[0].isupper() and not name.isupper():
                yield node.lineno, name, ast.unparse(value)


def test_classes_and_aliases_are_recognised() -> None:
    module = "class Rule:\n  class Part: ...\nKind = Literal['a']\nNAMES = ()\nname = Kind"
    assert list(types_of(ast.parse(module))) == [(1, "Rule", ""), (2, "Part", ""), (3, "Kind", "Literal['a']")]


def changes_of_moto(tree: ast.Module) -> Iterator[ast.stmt | ast.expr]:
    """Assignments to attributes or members of what is imported from moto, and calls that change them."""
    imported = set(names_from_moto(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets):
                changed: list[ast.expr] = targets
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                changed = [target]
            case ast.Call(func=ast.Attribute(attr=name) as method) if name in CHANGING:
                changed = [method]
            case _:
                continue
        yield from (one for one in changed if not isinstance(one, ast.Name) and root_of(one) in imported)


def names_from_moto(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "moto":
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            modules = [alias for alias in node.names if alias.name.split(".")[0] == "moto"]
            yield from (alias.asname or "moto" for alias in modules)


def root_of(node: ast.expr) -> str | None:
    """The name that an attribute or a member is reached from."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def test_a_patch_of_moto_is_recognised() -> None:
    for patch in (
        "from moto.s3.models import FakeBucket\nFakeBucket.get_permission = None",
        "import moto.core.utils\nmoto.core.utils.utcnow = None",
        "from moto.core.errors import COMMON_ERROR_CODES\nCOMMON_ERROR_CODES.append('x')",
    ):
        assert list(changes_of_moto(ast.parse(patch)))
