"""A project whose bundles have their true hashes and the times at which they were packaged."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serinus.cli.main import main
from serinus.lambda_handlers.contract.bundle import (
    BASELINE,
    GOLDEN,
    GRAPH,
    MANIFEST,
    PROVENANCE,
    SHORT,
    Golden,
    Manifest,
    compute_version,
    dump_json,
)
from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock, render_lock
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.contract.tolerance import Tolerance

PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
SETTINGS = f'[project]\nname = "shop"\n\n[endpoint.risk]\n\n{PROD}'


def signature(*names: str) -> Signature:
    return Signature(
        task="regression",
        features=tuple(Feature(name, "float32") for name in names),
        tensors=(Tensor("X", "float32", names),),
        outputs=(Output("variable", "float32", "value", (None,)),),
    )


@dataclass(frozen=True)
class Shop:
    """The project's folder."""

    folder: Path

    def package(
        self,
        graph: str,
        hour: int | None,
        *,
        model: str = "risk",
        features: tuple[str, ...] = ("age",),
        **provenance: Any,
    ) -> str:
        """Write a bundle, packaged at ``hour``; returns its version."""
        content = graph.encode()
        manifest = Manifest(model, "", signature(*features), "float32", Tolerance(), "scikit-learn").to_json()
        golden = dump_json(Golden((dict.fromkeys(features, 40.0),), {"variable": [1.0]}).to_json())
        baseline = dump_json({"rows": 569})
        version = compute_version(content, manifest, baseline, golden)
        folder = self.folder / "bundles" / model / version[:SHORT]
        folder.mkdir(parents=True)
        files = {
            GRAPH: content,
            MANIFEST: dump_json({**manifest, "version": version}),
            BASELINE: baseline,
            GOLDEN: golden,
        }
        if hour is not None:
            files[PROVENANCE] = dump_json({"time": f"2026-11-30T{hour:02}:00:00+00:00", **provenance})
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return version

    def pin(self, environment: str, version: str, model: str = "risk") -> None:
        lock = read_lock(self.folder / LOCK)
        lock.setdefault(environment, {})[model] = Pin(version, f"bundles/{model}/{version[:SHORT]}")
        (self.folder / LOCK).write_text(render_lock(lock), encoding="utf-8")

    def pinned(self, environment: str, model: str = "risk") -> str | None:
        pin = read_lock(self.folder / LOCK).get(environment, {}).get(model)
        return pin.version if pin else None


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A project with endpoint risk and environment prod, in the working folder."""
    (tmp_path / "serinus.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `serinus` with arguments in this process."""

    def invoke(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["serinus", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, out, err)

    return invoke


@pytest.fixture
def holdout() -> Callable[[float], Mapping[str, Any]]:
    """The provenance of a bundle of this accuracy on its holdout."""
    return lambda value: {"holdout": {"source": {"accuracy": value}, "bundle": {"accuracy": value}}}
