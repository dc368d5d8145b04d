"""Writes bundles: an immutable folder, whole or absent, named by the hash of what decides its behaviour."""

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.lambda_handlers.contract import bundle as contract
from serinus.lambda_handlers.contract.bundle import Golden, Manifest, compute_version, dump_json
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.modelpack.atomic import folder_beside, write_file

BUNDLES = "bundles"


@dataclass(frozen=True, slots=True)
class BundleContent:
    """A bundle's files in memory. ``manifest`` has its version."""

    graph: bytes
    manifest: Manifest
    baseline: bytes
    golden: bytes
    background: bytes | None = None


def assemble_content(
    graph: bytes,
    manifest: Manifest,
    baseline: dict[str, Any],
    golden: Golden,
    background: list[list[Any]] | None = None,
) -> BundleContent:
    """The files, with their version written into the manifest."""
    rows = None if background is None else _compact({"rows": background})
    baseline_bytes, golden_bytes = dump_json(baseline), dump_json(golden.to_json())
    version = compute_version(graph, manifest.to_json(), baseline_bytes, golden_bytes, rows)
    return BundleContent(graph, manifest._replace(version=version), baseline_bytes, golden_bytes, rows)


def _compact(data: Any) -> bytes:
    """A table as JSON without indents, which would be most of it."""
    return (json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode()


def bundle_folder(project: Path, manifest: Manifest) -> Path:
    """The bundle's folder in ``project``."""
    return project / BUNDLES / manifest.name / manifest.short_version


def file_sizes(parts: BundleContent) -> dict[str, int]:
    """Bytes of the files that are deployed to the function."""
    explains = {} if parts.background is None else {contract.BACKGROUND: len(parts.background)}
    return {
        contract.GRAPH: len(parts.graph),
        contract.MANIFEST: len(dump_json(parts.manifest.to_json())),
        contract.BASELINE: len(parts.baseline),
        contract.GOLDEN: len(parts.golden),
        **explains,
    }


def write_files(folder: Path, parts: BundleContent, card: str, provenance: dict[str, Any]) -> None:
    """Write a bundle's files into ``folder``, and verify that they hash to its version."""
    (folder / contract.GRAPH).write_bytes(parts.graph)
    (folder / contract.MANIFEST).write_bytes(dump_json(parts.manifest.to_json()))
    (folder / contract.BASELINE).write_bytes(parts.baseline)
    (folder / contract.GOLDEN).write_bytes(parts.golden)
    if parts.background is not None:
        (folder / contract.BACKGROUND).write_bytes(parts.background)
    (folder / contract.CARD).write_text(card, encoding="utf-8")
    (folder / contract.PROVENANCE).write_bytes(dump_json(_finite(provenance)))
    contract.verify(folder)


def _finite(data: Any) -> Any:
    """``data`` with None for numbers that JSON does not have."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def publish_bundle(project: Path, draft: Path) -> Path:
    """Copy the bundle in folder ``draft`` to its folder in ``project`` and return that folder. An intact bundle of
    this version that exists already stays; its card and provenance are replaced where the card says something
    else, such as metrics on another sample. Raises `ContractError` where the draft is not a bundle."""
    target = bundle_folder(project, contract.verify(draft))
    if target.exists():
        try:
            contract.verify(target)
            _refresh(target, draft)
            return target
        except ContractError:
            _set_aside(target)
    with folder_beside(target) as beside:
        for name in (*contract.shipped_files(draft), contract.CARD, contract.PROVENANCE):
            shutil.copyfile(draft / name, beside / name)
        contract.verify(beside)
    return target


def _refresh(target: Path, draft: Path) -> None:
    card = (draft / contract.CARD).read_bytes()
    if not (target / contract.CARD).is_file() or (target / contract.CARD).read_bytes() != card:
        write_file(target / contract.PROVENANCE, (draft / contract.PROVENANCE).read_bytes())
        write_file(target / contract.CARD, card)


def _set_aside(damaged: Path) -> None:
    """Keep a bundle that somebody changed, under a name that nothing reads."""
    number = 1
    while (kept := damaged.with_name(f"{damaged.name}.damaged-{number}")).exists():
        number += 1
    damaged.rename(kept)
