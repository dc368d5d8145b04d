"""Layers from a wheel made here: nothing of these tests reaches a package index."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from serinus.lambda_handlers.contract.build import BUILD_DIR, CODE_DIR, read_build
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.modelpack import layers
from serinus.modelpack.errors import LayerError, LayerLimitError, ResolveError
from serinus.modelpack.layers import limits, runtime
from serinus.modelpack.layers.targets import twin_target
from serinus.modelpack.layers.uv import install
from serinus.modelpack.request import PackageResult

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


class Listening:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def stage(self, name: str) -> None:
        """Not of interest."""

    def notice(self, message: str) -> None:
        self.notices.append(message)


def _wheel(folder: Path, files: dict[str, str]) -> Path:
    """A pure wheel of package `tiny` 1.0."""
    info = "tiny-1.0.dist-info"
    files = files | {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},"
        for name, text in files.items()
    ]
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | {f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"])}).items():
            wheel.writestr(name, text)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Requirements of one pinned wheel, found in a folder; the cache is the test's own, and offline."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel = _wheel(
        folder,
        {
            "tiny/__init__.py": "KINDS = {'a', 'b', 'c'}\nanswer = 42\n",
            "tiny/tests/__init__.py": "",
            "tiny/typed.pyi": "answer: int\n",
            "packaging/__init__.py": "",
        },
    )
    requirements = tmp_path / "inference.txt"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements.write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setattr(runtime, "requirements_file", lambda layer: requirements)
    monkeypatch.setattr(runtime, "check_layer", lambda folder, interpreter: None)
    monkeypatch.setenv("SERINUS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return folder


@pytest.fixture
def as_lambda(monkeypatch: pytest.MonkeyPatch) -> str:
    """Lets Lambda offer this Python, so that a target with an interpreter is at hand."""
    monkeypatch.setattr("serinus.modelpack.layers.targets.RUNTIMES", (RUNTIME, "python3.99"))
    return RUNTIME


def _names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_layer_holds_slimmed_packages_with_bytecode(index: Path, as_lambda: str, tmp_path: Path) -> None:
    manifest = layers.build(tmp_path, [(as_lambda, "x86_64")], [])
    layer = manifest.runtime[f"{as_lambda}-x86_64"]
    path = tmp_path / BUILD_DIR / layer.path
    assert layer.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert layer.zipped_bytes == path.stat().st_size
    tag = f"cpython-{sys.version_info.major}{sys.version_info.minor}"
    assert _names(path) == {
        "python/tiny/__init__.py",
        f"python/tiny/__pycache__/__init__.{tag}.pyc",
        "python/tiny-1.0.dist-info/METADATA",
        "python/tiny-1.0.dist-info/WHEEL",
    }
    assert layer.bytecode
    assert read_build(tmp_path / BUILD_DIR) == manifest


def test_bytecode_is_used_without_looking_at_the_source(index: Path, as_lambda: str, tmp_path: Path) -> None:
    layer = layers.build(tmp_path, [(as_lambda, "x86_64")], []).runtime[f"{as_lambda}-x86_64"]
    with zipfile.ZipFile(tmp_path / BUILD_DIR / layer.path) as archive:
        archive.extractall(tmp_path / "unpacked")
    source = tmp_path / "unpacked" / "python" / "tiny" / "__init__.py"
    source.write_text("answer = 'compiled again'\n")
    code = "import tiny; print(tiny.answer)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=source.parents[1], capture_output=True, text=True, check=True
    )
    assert printed.stdout == "42\n"


def test_same_lock_gives_the_same_bytes(
    index: Path, as_lambda: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = set()
    for number in range(3):
        monkeypatch.setenv("SERINUS_CACHE_DIR", str(tmp_path / f"cache-{number}"))
        manifest = layers.build(tmp_path / str(number), [(as_lambda, "x86_64")], [])
        hashes.add(manifest.runtime[f"{as_lambda}-x86_64"].sha256)
    assert len(hashes) == 1


def test_second_project_takes_the_layer_from_the_cache(
    index: Path, as_lambda: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = layers.build(tmp_path / "first", [(as_lambda, "x86_64")], [])
    monkeypatch.setattr(runtime, "install", _must_not_be_called)
    assert layers.build(tmp_path / "second", [(as_lambda, "x86_64")], []) == first


def test_builds_at_once_share_one_making(
    index: Path, as_lambda: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def counted(*args: Any) -> None:
        calls.append(args)
        install(*args)

    monkeypatch.setattr(runtime, "install", counted)
    with ThreadPoolExecutor(max_workers=4) as pool:
        manifests = list(
            pool.map(lambda name: layers.build(tmp_path / name, [(as_lambda, "x86_64")], []), ["a", "b", "c", "d"])
        )
    assert all(manifest == manifests[0] for manifest in manifests)
    distinct = {layer.path for layer in manifests[0].runtime.values()}
    distinct |= {layer.twin for layer in manifests[0].runtime.values() if layer.twin}
    assert len(calls) == len(distinct)


def test_build_killed_midway_does_not_stop_the_next(index: Path, as_lambda: str, tmp_path: Path) -> None:
    """What a killed process leaves: a draft beside the entry, and an entry that was never finished."""
    first = layers.build(tmp_path / "first", [(as_lambda, "x86_64")], [])
    for entry in (tmp_path / "cache" / "layers").iterdir():
        if entry.is_dir():
            (entry / "layer.sha256").unlink()
            shutil.copytree(entry, entry.with_name(f".{entry.name}.left"))
    assert layers.build(tmp_path / "second", [(as_lambda, "x86_64")], []) == first
    assert not list((tmp_path / "cache" / "layers").glob("*.left"))


def test_damaged_cache_entry_is_made_again(index: Path, as_lambda: str, tmp_path: Path) -> None:
    first = layers.build(tmp_path / "first", [(as_lambda, "x86_64")], [])
    for cached in (tmp_path / "cache").rglob("layer.zip"):
        cached.write_bytes(cached.read_bytes()[:-20])
    assert layers.build(tmp_path / "second", [(as_lambda, "x86_64")], []) == first


def test_failed_build_leaves_nothing_in_the_cache(
    index: Path, as_lambda: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.zips, "write_zip", _must_not_be_called)
    with pytest.raises(AssertionError):
        layers.build(tmp_path, [(as_lambda, "x86_64")], [])
    assert not [path for path in (tmp_path / "cache" / "layers").iterdir() if path.is_dir()]
    assert not (tmp_path / BUILD_DIR / "manifest.json").exists()


def test_twin_is_the_layer_itself_where_target_and_machine_are_the_same(
    index: Path, as_lambda: str, tmp_path: Path
) -> None:
    here = twin_target()
    other = "arm64" if here.name.endswith("x86_64") else "x86_64"
    manifest = layers.build(tmp_path, [(as_lambda, "x86_64"), (as_lambda, "arm64")], [])
    foreign = manifest.runtime[f"{as_lambda}-{other}"]
    assert foreign.twin is not None
    assert foreign.twin != foreign.path
    assert here.name in foreign.twin
    if here.platform is not None:
        own = manifest.runtime[here.name]
        assert own.twin == own.path == foreign.twin


def test_target_without_interpreter_is_built_without_bytecode_and_says_what_that_costs(
    index: Path, as_lambda: str, tmp_path: Path
) -> None:
    listening = Listening()
    manifest = layers.build(tmp_path, [("python3.99", "x86_64")], [], listening)
    layer = manifest.runtime["python3.99-x86_64"]
    assert not layer.bytecode
    assert not any(name.endswith(".pyc") for name in _names(tmp_path / BUILD_DIR / layer.path))
    assert any("uv python install 3.99" in notice and "cold start" in notice for notice in listening.notices)


def test_unknown_runtime_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match=r"python3\.13"):
        layers.build(tmp_path, [("python3.8", "x86_64")], [])


def test_package_that_cannot_be_had_says_so(index: Path, as_lambda: str, tmp_path: Path) -> None:
    for wheel in index.iterdir():
        wheel.unlink()
    with pytest.raises(ResolveError, match=r"could not be installed for python3[\s\S]*package index"):
        layers.build(tmp_path, [(as_lambda, "x86_64")], [])


def test_wheel_that_was_swapped_is_refused(index: Path, as_lambda: str, tmp_path: Path) -> None:
    _wheel(index, {"tiny/__init__.py": "answer = 'another'\n"})
    with pytest.raises(ResolveError, match=r"[Hh]ash"):
        layers.build(tmp_path, [(as_lambda, "x86_64")], [])


def _must_not_be_called(*args: object, **kwargs: object) -> None:
    raise AssertionError("called")


@pytest.fixture
def packed(numbers: pd.DataFrame, score: Any, pack: Callable[..., PackageResult]) -> PackageResult:
    return pack(LogisticRegression().fit(numbers, score > 0), numbers)


def test_model_layer_holds_the_shipped_files_where_the_run_time_looks(
    packed: PackageResult, tmp_path: Path
) -> None:
    manifest = layers.build(tmp_path, [], [packed.bundle])
    layer = manifest.models[packed.version]
    folder = "python/serinus_model"
    assert _names(tmp_path / BUILD_DIR / layer.path) == {
        f"{folder}/{name}" for name in ("model.onnx", "model.json", "baseline.json", "golden.json")
    }
    assert layer.twin is None
    assert layer.unzipped_bytes < packed.bundle_bytes


def test_model_layer_cut_short_is_made_again(packed: PackageResult, tmp_path: Path) -> None:
    first = layers.build(tmp_path, [], [packed.bundle])
    path = tmp_path / BUILD_DIR / first.models[packed.version].path
    path.write_bytes(path.read_bytes()[:100])
    assert layers.build(tmp_path, [], [packed.bundle]) == first


def test_bundle_that_was_changed_makes_no_layer(packed: PackageResult, tmp_path: Path) -> None:
    manifest = json.loads((packed.bundle / "model.json").read_bytes())
    (packed.bundle / "model.json").write_text(json.dumps(manifest | {"name": "other"}))
    with pytest.raises(ContractError, match="changed after packaging"):
        layers.build(tmp_path, [], [packed.bundle])


def test_function_beyond_the_limit_says_what_weighs(
    index: Path, as_lambda: str, packed: PackageResult, tmp_path: Path
) -> None:
    manifest = layers.build(tmp_path, [(as_lambda, "x86_64")], [packed.bundle])
    paths = [
        tmp_path / BUILD_DIR / layer.path for layer in (*manifest.runtime.values(), *manifest.models.values())
    ]
    limits.check_unzipped("churn", paths)
    with pytest.raises(LayerLimitError, match=r"Lambda allows 1\.0 MB\. Largest parts: serinus_model") as caught:
        limits.check_unzipped("churn", paths, limit_bytes=1024 * 1024)
    assert caught.value.size_bytes > caught.value.limit_bytes


def test_zip_beyond_direct_upload_is_told(packed: PackageResult, tmp_path: Path) -> None:
    layer = layers.build(tmp_path, [], [packed.bundle]).models[packed.version]
    listening = Listening()
    limits.check_zipped(tmp_path / BUILD_DIR / layer.path, listening, limit_bytes=1000)
    assert "through S3" in listening.notices[0]


def test_sizes_gather_what_belongs_to_a_package(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as archive:
        for name, size in {
            "python/numpy/core.py": 10,
            "python/numpy.libs/blas.so": 50,
            "python/numpy-2.4.6.dist-info/METADATA": 5,
            "python/six.py": 7,
            "python/__pycache__/six.cpython-313.pyc": 3,
        }.items():
            archive.writestr(name, b"x" * size)
    assert layers.sizes(tmp_path / "layer.zip") == [("numpy", 65), ("six", 10)]


def test_interpreter_of_this_version_is_this_one() -> None:
    assert layers.find_interpreter(RUNTIME.removeprefix("python")) == Path(sys.executable)
    assert layers.find_interpreter("3.99") is None


def test_the_functions_own_code_gets_bytecode_of_its_runtime(index: Path, as_lambda: str, tmp_path: Path) -> None:
    layers.build(tmp_path, [(as_lambda, "x86_64")], [])
    folder = tmp_path / BUILD_DIR / CODE_DIR / as_lambda / "serinus" / "lambda_handlers" / "inference"
    tag = as_lambda.replace("python", "cpython-").replace(".", "")
    compiled = (folder / "__pycache__" / f"handler.{tag}.pyc").read_bytes()
    assert b"/var/task/serinus/lambda_handlers/inference/handler.py" in compiled
    assert str(tmp_path).encode() not in compiled
