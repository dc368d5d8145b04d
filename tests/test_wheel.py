"""The wheel: everything importable is below `serinus`, and it runs without the checkout."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from transcripts import agrees, blocks  # noqa: E402

#: The folders at the top of a checkout, and the name below which wheels once had them.
ROOMS = {"cli", "infra", "lambda_handlers", "modelpack", "offline", "packaging"}


INSTALL = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-config")


#: What a project's tests may do besides those that `serinus init` writes.
MORE_TESTS = """
import httpx, pandas as pd, pytest, serinus

def test_more(endpoint, endpoints, cloud):
    assert endpoints["tumour"] is endpoint
    rows = pd.read_csv("sample.csv").head(3)
    assert endpoint.predict(rows) == endpoint.predict(rows.to_dict("records"))
    sent = {"json": {"rows": endpoint.example_rows}, "headers": {"x-api-key": endpoint.key}}
    assert httpx.post(f"{endpoint.url}/predict", trust_env=False, timeout=60, **sent).status_code == 200
    with pytest.raises(serinus.RequestRejected, match="row 0: mean radius is required"):
        endpoint.predict([{}])
    with pytest.raises(pytest.fail.Exception, match="^bundle 'nope' is neither a bundle's folder nor"):
        endpoint.release("nope")
    with pytest.raises(pytest.fail.Exception, match="^fault 'fire' is not a fault; use one of"):
        endpoint.release(fault="fire")
    functions = cloud.client("lambda").list_functions()["Functions"]
    assert "shop-local-tumour" in {function["FunctionName"] for function in functions}

def test_stepped(releases):
    # The alarm, not the end of the bake, stopped it; no lack of CPU counts where time is skipped.
    (release,) = releases
    data = release.data
    assert data["summary"][1].startswith("The judge: errors")
    assert data["final_version"] == data["stable_version"]
    assert (data["rehearsed"]["speed"], data["real_s"]["slowed"], data["real_s"]["held"]) == (None, 0, 0)
    assert data["requests_not_sent"] == 0
    assert 120 < data["shift_ended_s"] - data["shift_began_s"] < 660
    assert data["canary_share"]["within_three_standard_errors"]
    assert "200 requests per cloud minute in batches" in release.report.read_text()

def test_that_fails(releases):
    (release,) = releases
    assert release.is_promoted()
"""

#: Keeps the releases of the tests that `serinus init` writes.
KEPT = """
import pytest

@pytest.fixture(scope="session", autouse=True)
def releases(serinus_endpoint):
    kept, release = [], serinus_endpoint.release

    def keep(*arguments, **options):
        kept.append(release(*arguments, **options))
        return kept[-1]

    serinus_endpoint.release = keep
    yield kept
    del serinus_endpoint.release
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like site-packages with nothing but the wheel in it."""
    target = tmp_path_factory.mktemp("installed")
    subprocess.run([*INSTALL, "--target", target, wheel], check=True, capture_output=True, timeout=300)
    return target


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with the wheel, and with the packages that it needs from this one's: without
    the network they cannot be installed again."""
    folder = tmp_path_factory.mktemp("environment") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    subprocess.run([*INSTALL, "--python", folder, wheel], check=True, capture_output=True, timeout=300)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A path in a .pth file does not process the .pth files there, which lead into the checkout.
    (packages / "needed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin" / "python"


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


@pytest.mark.cdk
def test_a_project_that_never_saw_the_checkout_tests_its_endpoint(python: Path, tmp_path: Path) -> None:
    """`serinus init`, `serinus package`, `pytest`: with the wheel alone, whose plugin pytest finds by itself."""
    shop = tmp_path / "shop"

    def run_in(folder: Path, *command: str, code: int = 0) -> str:
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [python, *command],
            cwd=folder,
            env=variables | {"TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    where = run_in(tmp_path, "-c", "import serinus; print(serinus.__file__)")
    assert Path(where.strip()).is_relative_to(python.parents[1])
    run_in(tmp_path, "-m", "serinus", "init", "shop")
    (shop / "node_modules").symlink_to(ROOT / "node_modules")
    assert "2 skipped" in run_in(shop, "-m", "pytest", "-rs")
    run_in(ROOT / "examples", "train.py", str(shop))
    run_in(shop, "-m", "serinus", "package", "model.joblib", "--name", "tumour", "--sample", "sample.csv")
    (shop / "tests" / "test_more.py").write_text(MORE_TESTS)
    (shop / "tests" / "conftest.py").write_text(KEPT)
    files = {path for path in shop.rglob("*") if "node_modules" not in path.parts and path.is_file()}
    printed = run_in(shop, "-m", "pytest", "-p", "no:cacheprovider", "-rP", code=1)
    assert "1 failed, 4 passed" in printed, printed
    assert "serinus rehearse tumour: Rolled back. The release of tumour as version 2 was rolled back" in printed
    shows_as_the_page(printed)
    left = {path for path in shop.rglob("*") if "node_modules" not in path.parts and path.is_file()} - files
    assert {path.relative_to(shop).parts[0] for path in left} <= {"tests"}  # bytecode


def shows_as_the_page(printed: str) -> None:
    """Whether docs/testing.md shows a failed assertion, and what it printed, as ``printed`` has them."""
    (block,) = [block for block in blocks(ROOT / "docs" / "testing.md") if "is_promoted()" in block]
    block = block.replace("churn", "tumour")
    errors, captured = (
        "".join(f"{line}\n" for line in block.splitlines() if line.startswith(start))
        for start in ("E ", "serinus rehearse")
    )
    failed = "".join(f"{line}\n" for line in printed.splitlines() if line.startswith("E "))
    assert agrees(errors, failed)
    assert any(agrees(captured, line) for line in printed.splitlines() if line.startswith("serinus rehearse"))


def test_no_module_is_imported_twice(tmp_path: Path) -> None:
    code = (
        "import sys, serinus.cli.main, serinus.infra.synth, serinus.offline.cloud.serve, "
        "serinus.modelpack.pipeline, serinus.lambda_handlers.inference.api\n"
        f"print(sorted({ROOMS!r} & {{name.partition('.')[0] for name, module in sys.modules.items() "
        f"if str(getattr(module, '__file__', '')).startswith({str(ROOT)!r})}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
