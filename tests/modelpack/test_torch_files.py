"""PyTorch's archives are known by what lies in them, and without PyTorch the error names the extra."""

import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from serinus.modelpack.errors import ExtraMissingError, RequestError, SourceError
from serinus.modelpack.package import package
from serinus.modelpack.progress import Silent
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.sources.torch_files import torch_format


def _archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return path


def _request(path: Path, **settings: str) -> PackageRequest:
    pd.DataFrame({"x": [1.0]}).to_csv(path.parent / "sample.csv", index=False)
    return PackageRequest(path, "net", path.parent / "sample.csv", path.parent, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["m/models/model.json", "m/archive_format"], "exported"),
        (["serialized_exported_program.json", "version"], "exported"),
        (["m/data.pkl", "m/code/__torch__/net.py"], "script"),
        (["m/data.pkl", "m/data/0"], "weights"),
        (["schema.json"], None),
    ],
)
def test_archive_is_told_by_its_files(names: list[str], kind: str | None, tmp_path: Path) -> None:
    assert torch_format(_archive(tmp_path / "model.bin", *names)) == kind


def test_without_pytorch_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    path = _archive(tmp_path / "model.pt2", "m/models/model.json")
    with pytest.raises(ExtraMissingError, match=r"pip install 'serinus\[torch\]'"):
        package(_request(path))


def test_program_may_hold_pickled_code_which_is_said_before_it_is_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    path = _archive(tmp_path / "model.pt2", "m/models/model.json")
    said: list[str] = []

    class Heard(Silent):
        def notice(self, message: str) -> None:
            said.append(message)

    with pytest.raises(ExtraMissingError):
        package(_request(path), Heard())
    assert any("may run pickled code" in message for message in said)


def test_factory_finds_its_module_beside_the_weights_and_no_installed_library_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from serinus.modelpack.sources.torch import _call

    folder = tmp_path / "downloaded"
    folder.mkdir()
    (folder / "own_network.py").write_text("import colorsys\ndef make(): return colorsys.__file__\n")
    (folder / "colorsys.py").write_text("raise SystemExit('shadowed')\n")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    before = list(sys.path)
    assert Path(_call("own_network:make", folder / "model.pt")).parent != folder
    assert sys.path == before


def test_factory_belongs_to_weights_alone(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("tree\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"--factory .* is lightgbm"):
        package(_request(tmp_path / "model.txt", factory="my_model:make"))


def test_factory_that_names_no_function(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="'my_model' is not a module:function"):
        package(_request(tmp_path / "model.pt", factory="my_model"))
