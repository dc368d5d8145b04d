from pathlib import Path

import pytest

import serinus
from serinus.infra.constructs.inference_function import ENTRY_MODULE
from serinus.infra.errors import InfraError
from serinus.infra.handler_modules import handler_files

ROOT = Path(serinus.__file__).parents[1]


def write(root: Path, **files: str) -> None:
    """Write modules given as dotted names with "__" for "."."""
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for folder in path.relative_to(root).parents:
            if folder != Path():
                (root / folder / "__init__.py").touch()


def reached(root: Path, entry: str = "app.entry") -> list[str]:
    return [path.as_posix() for path in handler_files(root, entry) if path.name != "__init__.py"]


@pytest.mark.parametrize(
    "statement",
    [
        "import app.part.one",
        "import app.part.one as one",
        "from app.part import one",
        "from app.part.one import thing",
        "from .part import one",
        "from .part.one import thing",
        "from . import part\nfrom app.part import one",
        "def late():\n    from app.part import one",
        "try:\n    import app.part.one\nexcept ImportError:\n    pass",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import app.part.one",
    ],
)
def test_an_import_is_followed_however_it_is_written(tmp_path: Path, statement: str) -> None:
    write(tmp_path, app__entry=statement, app__part__one="thing = 1", app__part__two="")

    assert reached(tmp_path) == ["app/entry.py", "app/part/one.py"]


def test_imports_of_imports_are_followed_and_cycles_end(tmp_path: Path) -> None:
    write(tmp_path, app__entry="from app import one", app__one="from app import two", app__two="import app.entry")

    assert reached(tmp_path) == ["app/entry.py", "app/one.py", "app/two.py"]


def test_what_a_package_imports_in_its_init_is_followed(tmp_path: Path) -> None:
    write(tmp_path, app__entry="import app.part.one", app__part__one="", app__part__two="")
    (tmp_path / "app" / "part" / "__init__.py").write_text("from .two import *", encoding="utf-8")

    assert reached(tmp_path) == ["app/entry.py", "app/part/one.py", "app/part/two.py"]


def test_imports_for_type_checkers_only_are_left_out(tmp_path: Path) -> None:
    text = "import typing\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app import one\n"
    write(
        tmp_path, app__entry=text + "if typing.TYPE_CHECKING:\n    from app import two\n", app__one="", app__two=""
    )

    assert reached(tmp_path) == ["app/entry.py"]


def test_other_packages_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, app__entry="import json\nimport other.part\nfrom application import x", other__part="")

    assert reached(tmp_path) == ["app/entry.py"]


def test_every_package_on_the_way_comes_along(tmp_path: Path) -> None:
    write(tmp_path, app__entry="import app.a.b.c", app__a__b__c="")

    files = [path.as_posix() for path in handler_files(tmp_path, "app.entry")]

    assert files == ["app/__init__.py", "app/a/__init__.py", "app/a/b/__init__.py", "app/a/b/c.py", "app/entry.py"]


def test_other_files_of_a_package_come_along_but_not_those_of_packages_that_nobody_imports(tmp_path: Path) -> None:
    write(tmp_path, app__entry="", app__unused__one="")
    for name in (
        "app/page.html",
        "app/static/style.css",
        "app/unused/page.html",
        "app/__pycache__/x.pyc",
        "app/py.typed",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert reached(tmp_path) == ["app/entry.py", "app/page.html", "app/static/style.css"]


def test_a_missing_entry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match=r"module app\.entry is not in .* Install serinus again"):
        handler_files(tmp_path, "app.entry")


def test_the_inference_handler_holds_what_it_imports_and_no_hook() -> None:
    files = handler_files(ROOT, ENTRY_MODULE)
    folders = {path.parts[2] for path in files if len(path.parts) > 3}

    assert {path.as_posix() for path in files if path.parts[1] != "lambda_handlers"} == {"serinus/__init__.py"}
    assert folders == {"contract", "explain", "inference"}
