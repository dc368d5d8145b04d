"""The wheel: everything importable is below `serinus`, and it runs without the checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
#: The folders at the top of a checkout, and the name below which wheels once had them.
ROOMS = {"cli", "infra", "lambda_handlers", "modelpack", "offline", "packaging"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like site-packages with nothing but the wheel in it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-config"]
    subprocess.run([*install, "--target", target, wheel], check=True, capture_output=True, timeout=300)
    return target


def run(installed: Path, *command: str, cwd: Path) -> str:
    environ = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_top_level_is_serinus_alone(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if not path.name.startswith(".")}
    assert {name for name in names if not name.endswith(".dist-info")} - {"bin"} == {"serinus"}
    assert not any(path.is_symlink() for path in installed.rglob("*"))


def test_it_holds_every_file_of_the_rooms(installed: Path) -> None:
    rooms = {room: ROOT / room for room in ("cli", "infra", "lambda_handlers", "offline")}
    rooms["modelpack"] = ROOT / "packaging" / "modelpack"
    for room, folder in rooms.items():
        files = {path.relative_to(folder) for path in folder.rglob("*.*") if "__pycache__" not in path.parts}
        shipped = {
            path.relative_to(installed / "serinus" / room)
            for path in (installed / "serinus").rglob("*.*")
            if path.is_relative_to(installed / "serinus" / room)
        }
        assert files <= shipped


def test_it_makes_a_project_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "-m", "serinus", "init", "shop", cwd=tmp_path)
    assert (tmp_path / "shop" / "package.json").is_file()
    where = run(installed, "-c", "import serinus.modelpack.layers as layers; print(layers.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed)


def test_no_module_is_imported_twice(tmp_path: Path) -> None:
    code = (
        "import sys, serinus.cli.main, serinus.infra.synth, serinus.offline.cloud.serve, "
        "serinus.modelpack.pipeline, serinus.lambda_handlers.inference.api\n"
        f"print(sorted({ROOMS!r} & {{name.partition('.')[0] for name, module in sys.modules.items() "
        f"if str(getattr(module, '__file__', '')).startswith({str(ROOT)!r})}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
