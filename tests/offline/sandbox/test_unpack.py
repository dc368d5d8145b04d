"""Archives on disk: unpacked once, read-only, links and permissions kept, layers laid over one another."""

import hashlib
import platform
import stat
import struct
import zipfile

import pytest

from serinus.offline.sandbox.native import ELF_MACHINES, first_unloadable
from serinus.offline.sandbox.reaper import remove_tree
from serinus.offline.sandbox.spec import Archive
from serinus.offline.sandbox.twins import Twins
from serinus.offline.sandbox.unpack import Unpacker

SOABI = "cpython-311-x86_64-linux-gnu"


@pytest.fixture
def unpacker(tmp_path):
    root = tmp_path / "work"
    root.mkdir()
    yield Unpacker(root, Twins({}))
    remove_tree(root)


@pytest.fixture
def archive(tmp_path, zip_of):
    def make(files, name="layer"):
        content = zip_of(files)
        path = tmp_path / f"{hashlib.sha256(content).hexdigest()}.zip"
        path.write_bytes(content)
        return Archive(name, path.stem, path)

    return make


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine)


def test_an_archive_is_unpacked_once(unpacker, archive):
    packed = archive({"a/b.txt": "text"})
    first = unpacker.tree(packed, SOABI)
    packed.path.unlink()
    assert unpacker.tree(packed, SOABI) == first
    assert (first.path / "a" / "b.txt").read_text() == "text"


def test_what_is_unpacked_is_read_only(unpacker, archive):
    tree = unpacker.tree(archive({"a/b.txt": "text"}), SOABI)
    assert stat.S_IMODE((tree.path / "a" / "b.txt").stat().st_mode) == 0o444
    assert stat.S_IMODE((tree.path / "a").stat().st_mode) == 0o555


def test_executables_and_links_stay_what_they_are(unpacker, tmp_path):
    path = tmp_path / "modes.zip"
    with zipfile.ZipFile(path, "w") as target:
        script = zipfile.ZipInfo("bin/run")
        script.external_attr = (stat.S_IFREG | 0o755) << 16
        target.writestr(script, "#!/bin/sh\n")
        link = zipfile.ZipInfo("bin/alias")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "run")
    tree = unpacker.tree(Archive("modes", "f" * 64, path), SOABI)
    assert (tree.path / "bin" / "run").stat().st_mode & 0o111
    assert (tree.path / "bin" / "alias").readlink().name == "run"


def test_later_layers_cover_earlier_ones(unpacker, archive):
    trees = [
        unpacker.tree(archive(files), SOABI)
        for files in ({"same.txt": "1", "one.txt": "1"}, {"same.txt": "2", "two.txt": "2"})
    ]
    merged = unpacker.merged(trees)
    assert {path.name: path.read_text() for path in merged.iterdir()} == {
        "same.txt": "2",
        "one.txt": "1",
        "two.txt": "2",
    }
    assert (trees[0].path / "same.txt").read_text() == "1"
    assert unpacker.merged(trees) == merged


def test_names_cannot_leave_the_directory(unpacker, archive):
    tree = unpacker.tree(archive({"../../evil.txt": "x"}), SOABI)
    assert (tree.path / "evil.txt").exists()


def test_pure_python_and_loadable_modules_pass(tmp_path):
    here = ELF_MACHINES[platform.machine().lower()]
    (tmp_path / "plain.py").write_text("x = 1")
    (tmp_path / "libother.so.1").write_bytes(elf(here))
    (tmp_path / "stable.abi3.so").write_bytes(elf(here))
    (tmp_path / f"core.{SOABI}.so").write_bytes(elf(here))
    if platform.system() == "Linux":
        assert first_unloadable(tmp_path, SOABI) is None


def test_a_module_of_another_python_is_named(tmp_path):
    here = ELF_MACHINES[platform.machine().lower()]
    (tmp_path / "core.cpython-313-x86_64-linux-gnu.so").write_bytes(elf(here))
    found = first_unloadable(tmp_path, SOABI)
    assert found is not None
    assert found.startswith("core.cpython-313-x86_64-linux-gnu.so (built for")
