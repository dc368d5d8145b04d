"""PyTorch modules, however they were saved: exported, scripted, or as weights with what makes their module.

PyTorch is large: these tests run with `scripts/test --torch` alone.
"""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from serinus.lambda_handlers.contract.bundle import read_golden, read_manifest
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import ConversionError, ExtraMissingError, PrecisionError, SampleError, SourceError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed: scripts/test --torch", allow_module_level=True)

import torch
from torch import nn

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

FACTORY = """
import torch
from torch import nn

def make():
    return nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 3), nn.Softmax(dim=1))

class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1))

    def forward(self, image, weight):
        scaled = image * weight[:, None, None] * self.factor
        return scaled, scaled.sum(dim=(1, 2))

def make_scaled():
    return Scaled(), (torch.zeros(2, 2, 3), torch.zeros(2))
"""


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 3), nn.Softmax(dim=1)).eval()


def _save_exported(module: nn.Module, example: Any, path: Path, *, dynamic: bool = True) -> Path:
    axes = ({0: torch.export.Dim("rows")},) if dynamic else None
    torch.export.save(torch.export.export(module, (example,), dynamic_shapes=axes), str(path))
    return path


def _package(path: Path, table: pd.DataFrame, **settings: Any) -> PackageResult:
    table.to_parquet(path.parent / "sample.parquet")
    return package(PackageRequest(path, "net", path.parent / "sample.parquet", path.parent, **settings))


def _served(packed: PackageResult) -> dict[str, Any]:
    """What the endpoint answers to the golden rows."""
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    answer = scorer.predict(json.dumps({"rows": read_golden(packed.bundle).rows}).encode(), None)
    assert answer.status == 200, answer.body
    content: dict[str, Any] = json.loads(answer.body)
    return content


def _save(how: str, path: Path) -> tuple[Path, dict[str, Any]]:
    network = _network()
    if how == "exported":
        return _save_exported(network, torch.zeros(2, 6), path / "model.pt2"), {}
    if how == "weights":
        (path / "my_network.py").write_text(FACTORY, encoding="utf-8")
        torch.save(network.state_dict(), path / "model.pt")
        return path / "model.pt", {"factory": "my_network:make"}
    script = torch.jit.script(network) if how == "scripted" else torch.jit.trace(network, torch.zeros(2, 6))
    script.save(str(path / "model.pt"))
    return path / "model.pt", {}


@pytest.mark.parametrize("how", ["exported", "scripted", "traced", "weights"])
def test_network_is_served_as_the_module_gives(how: str, numbers: pd.DataFrame, tmp_path: Path) -> None:
    path, settings = _save(how, tmp_path)
    packed = _package(path, numbers, **settings)
    assert read_manifest(packed.bundle).framework == f"PyTorch {torch.__version__}"
    assert packed.parity.rows >= len(numbers)
    golden = read_golden(packed.bundle)
    rows = torch.tensor([[row[name] for name in numbers.columns] for row in golden.rows])
    wanted = _network()(rows).detach().numpy()
    np.testing.assert_allclose(golden.outputs["output"], wanted, atol=1e-6)
    np.testing.assert_allclose(_served(packed)["outputs"]["output"], wanted, atol=2e-4, rtol=1e-3)


def test_same_module_is_the_same_bundle_from_any_folder(numbers: pd.DataFrame, tmp_path: Path) -> None:
    versions = set()
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        path, _ = _save("exported", tmp_path / place)
        packed = _package(path, numbers, precision="float32")
        assert str(tmp_path).encode() not in (packed.bundle / "model.onnx").read_bytes()
        versions.add(packed.version)
    assert len(versions) == 1


def test_several_inputs_of_a_factory_with_examples(tmp_path: Path) -> None:
    (tmp_path / "my_scaled.py").write_text(FACTORY, encoding="utf-8")
    torch.save({"factor": torch.tensor([2.0])}, tmp_path / "model.pt")
    random = np.random.default_rng(1)
    images = [json.dumps(image.tolist()) for image in random.normal(size=(20, 2, 3))]
    table = pd.DataFrame({"image": images, "weight": random.normal(size=20)})
    packed = _package(tmp_path / "model.pt", table, factory="my_scaled:make_scaled")
    signature = read_manifest(packed.bundle).signature
    assert {feature.name: feature.shape for feature in signature.features} == {"image": (2, 3), "weight": ()}
    row = read_golden(packed.bundle).rows[0]
    served = _served(packed)["outputs"]
    np.testing.assert_allclose(served["output_1"][0], 2.0 * np.sum(row["image"]) * row["weight"], rtol=1e-4)


def test_one_number_a_row_is_a_value(numbers: pd.DataFrame, tmp_path: Path) -> None:
    torch.manual_seed(1)
    path = _save_exported(nn.Linear(6, 1), torch.zeros(2, 6), tmp_path / "model.pt2")
    packed = _package(path, numbers)
    assert read_manifest(packed.bundle).signature.task == "regression"
    assert len(_served(packed)["values"]) == len(read_golden(packed.bundle).rows)


def test_every_precision_is_tried_on_linear_layers(numbers: pd.DataFrame, tmp_path: Path) -> None:
    path, _ = _save("exported", tmp_path)
    loose = Tolerance(labels=0.5, atol=0.5, rtol=0.5, cosine=0.0)
    table = {line.precision: line for line in _package(path, numbers, tolerance=loose).precisions}
    assert set(table) == {"float32", "float16", "int8", "int8-dynamic", "int8-static", "int4"}
    assert all(line.agreement is not None for line in table.values()), table
    with pytest.raises(PrecisionError, match="int4 is out of tolerance"):
        _package(path, numbers, precision="int4")


class _Eigenvalues(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigvals(x[:, :, None] * x[:, None, :]).real


def test_operator_without_onnx_form_is_named(numbers: pd.DataFrame, tmp_path: Path) -> None:
    path = _save_exported(_Eigenvalues(), torch.randn(2, 6), tmp_path / "model.pt2")
    with pytest.raises(ConversionError, match=r"operator aten\.linalg_eig\S* has no ONNX form") as caught:
        _package(path, numbers)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "bundles").exists()


def test_rows_fixed_by_the_export_are_refused(numbers: pd.DataFrame, tmp_path: Path) -> None:
    path = _save_exported(_network(), torch.zeros(4, 6), tmp_path / "model.pt2", dynamic=False)
    with pytest.raises(SourceError, match=r"exactly 4 rows .* dynamic_shapes"):
        _package(path, numbers)


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (None, "weights without a module"),
        ("nowhere_at_all:make", "No module named"),
        ("my_other:make", "do not fit the module"),
        ("my_other:absent", "no attribute 'absent'"),
        ("my_other:number", "returned a int"),
    ],
)
def test_weights_need_a_function_that_makes_their_module(
    factory: str | None, said: str, numbers: pd.DataFrame, tmp_path: Path
) -> None:
    other = "from torch import nn\ndef make():\n    return nn.Linear(2, 2)\ndef number():\n    return 1\n"
    (tmp_path / "my_other.py").write_text(other, encoding="utf-8")
    torch.save(_network().state_dict(), tmp_path / "model.pt")
    with pytest.raises(SourceError, match=said) as caught:
        _package(tmp_path / "model.pt", numbers, factory=factory)
    assert "\n" not in str(caught.value)


def test_pickled_module_is_not_run(numbers: pd.DataFrame, tmp_path: Path) -> None:
    torch.save(_network(), tmp_path / "model.pt")
    with pytest.raises(SourceError, match=r"cannot be loaded by PyTorch.*torch\.export\.save"):
        _package(tmp_path / "model.pt", numbers)


def test_sample_of_another_width_is_refused(numbers: pd.DataFrame, tmp_path: Path) -> None:
    path, _ = _save("scripted", tmp_path)
    with pytest.raises(SampleError, match="cannot predict the sample's rows"):
        _package(path, numbers[["a", "b"]])


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, numbers: pd.DataFrame, tmp_path: Path) -> None:
    path, _ = _save("exported", tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ExtraMissingError, match=r"serinus\[torch\]"):
        _package(path, numbers)
