"""Native code of layers that this machine may be unable to run."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from serinus.modelpack.errors import LayerError
from serinus.modelpack.layers.native import check_complete, check_machine

X86_64, AARCH64 = 62, 183


def elf(machine: int, order: str = "<") -> bytes:
    """The beginning of a shared object's header."""
    return (
        b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + bytes(10) + struct.pack(f"{order}HH", 3, machine)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {
        "numpy/core.cpython-313-aarch64-linux-gnu.so": elf(AARCH64),
        "numpy.libs/libblas-1a2b.so.0": elf(AARCH64),
        "numpy/core.py": b"x = 1",
        "numpy/empty": b"",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_files_of_the_targets_processor_pass(folder: Path) -> None:
    check_machine(folder, "aarch64")


@pytest.mark.parametrize(("machine", "said"), [(X86_64, "is for x86_64"), (40, "is for 40")])
def test_a_file_of_another_processor_is_named(folder: Path, machine: int, said: str) -> None:
    (folder / "numpy.libs" / "libgfortran-9f.so.5").write_bytes(elf(machine))
    with pytest.raises(LayerError, match=rf"libgfortran-9f.so.5 in the layer for aarch64 {said}"):
        check_machine(folder, "aarch64")


def test_the_order_of_bytes_is_read(folder: Path) -> None:
    (folder / "big.so").write_bytes(elf(AARCH64, ">"))
    check_machine(folder, "aarch64")


@pytest.fixture
def zip_of(tmp_path: Path) -> Callable[..., Path]:
    def create(name: str, *files: str) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for file in files:
                archive.writestr(f"python/{file}", b"")
        return tmp_path / name

    return create


TWIN = ("a/_core.cpython-311-x86_64-linux-gnu.so", "a/plain.so", "b/_rust.abi3.so", "n.libs/libblas-1a.so")


def test_the_same_modules_under_another_platforms_names_are_complete(zip_of: Callable[..., Path]) -> None:
    files = ("a/_core.cpython-313-aarch64-linux-gnu.so", "a/plain.so", "b/_rust.abi3.so", "n.libs/libblas-9z.so")
    check_complete(zip_of("arm64.zip", *files), zip_of("twin.zip", *TWIN))


def test_a_missing_module_is_named(zip_of: Callable[..., Path]) -> None:
    with pytest.raises(LayerError, match=r"arm64.zip lacks native modules that twin.zip has: python/a/_core"):
        check_complete(zip_of("arm64.zip", *TWIN[1:]), zip_of("twin.zip", *TWIN))
