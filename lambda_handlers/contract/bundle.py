"""The bundle: a packaged model as an immutable folder of files.

    model.onnx        the graph, preprocessing included
    model.json        `Manifest`: name, version, signature, precision, tolerance
    baseline.json     the training-time profile that drift is measured against
    golden.json       `Golden`: requests with the source model's outputs
    background.json   rows that explanations compare with; only where the endpoint explains
    card.md           the model card, for people
    provenance.json   time, commit, library versions, latency figures: unhashed, not shipped to the function

Its version is the SHA-256 of the parts that decide its behaviour: graph, manifest (without the version), baseline,
golden set and background. Short versions (12 hex digits) are for people, folders and headers.
"""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.files import Folder, holds, path_in, read_file
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.contract.tolerance import Tolerance

if TYPE_CHECKING:
    from serinus.lambda_handlers.contract.acceptance import Acceptance

FORMAT = 1
GRAPH = "model.onnx"
#: Optimizers of ONNX Runtime that must not run: this one keeps the factor of a product of doubles in single
#: precision (https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/optimizer/matmul_scale_fusion.cc).
DISABLED_OPTIMIZERS = ("MatMulScaleFusion",)
MANIFEST = "model.json"
BASELINE = "baseline.json"
GOLDEN = "golden.json"
BACKGROUND = "background.json"
CARD = "card.md"
PROVENANCE = "provenance.json"
#: Files of every bundle that decide behaviour and travel to the function, in hashing order. `BACKGROUND` follows.
SHIPPED = (GRAPH, MANIFEST, BASELINE, GOLDEN)
#: Folder of the model layer, below a folder on Python's path: found without knowing where layers are unpacked.
MODEL_PACKAGE = "serinus_model"
SHORT = 12


class Manifest(NamedTuple):
    """model.json."""

    name: str
    version: str
    signature: Signature
    precision: str
    tolerance: Tolerance
    framework: str

    @property
    def short_version(self) -> str:
        return self.version[:SHORT]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "framework": self.framework,
            "precision": self.precision,
            "tolerance": self.tolerance.to_json(),
            "signature": self.signature.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Manifest":
        """Read `to_json`'s data; raises `ContractError` for another format, or where a part is missing."""
        if data.get("format") != FORMAT:
            raise ContractError(
                f"bundle has format {data.get('format')!r}; this release reads {FORMAT}. Package the model again."
            )
        try:
            return cls(
                name=data["name"],
                version=data["version"],
                signature=Signature.from_json(data["signature"]),
                precision=data["precision"],
                tolerance=Tolerance.from_json(data["tolerance"]),
                framework=data["framework"],
            )
        except (KeyError, TypeError) as error:
            raise ContractError(f"{MANIFEST} is damaged: {error}. Package the model again.") from error


class Golden(NamedTuple):
    """golden.json: ``rows`` as a request holds them (feature name -> value, null where missing) and ``outputs`` of
    the source model by output name, one entry per row; and the user's ``acceptance`` test, if there is one."""

    rows: tuple[dict[str, Any], ...]
    outputs: dict[str, list[Any]]
    acceptance: "Acceptance | None" = None

    def to_json(self) -> dict[str, Any]:
        own = {} if self.acceptance is None else {"acceptance": self.acceptance.to_json()}
        return {"rows": list(self.rows), "outputs": self.outputs, **own}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Golden":
        golden = cls(rows=tuple(data["rows"]), outputs=data["outputs"])
        if "acceptance" not in data:
            return golden
        # Few models have one: the others' readers do without the module.
        from serinus.lambda_handlers.contract.acceptance import Acceptance

        return golden._replace(acceptance=Acceptance.from_json(data["acceptance"]))


def dump_json(data: Any) -> bytes:
    """Canonical JSON: sorted keys, two-space indent, UTF-8, a final newline; NaN and infinity are errors."""
    return (json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def shipped_files(folder: Folder) -> tuple[str, ...]:
    """The names of the files of the bundle in ``folder`` that travel to the function."""
    return (*SHIPPED, BACKGROUND) if holds(folder, BACKGROUND) else SHIPPED


def compute_version(
    graph: bytes, manifest: dict[str, Any], baseline: bytes, golden: bytes, background: bytes | None = None
) -> str:
    """SHA-256 (64 hex digits) over the graph, the manifest without its version, baseline, golden set, and the
    background where there is one."""
    import hashlib  # loads OpenSSL, which a function that only reads its bundle does not need

    digest = hashlib.sha256()
    bare = dump_json({key: value for key, value in manifest.items() if key != "version"})
    for part in (graph, bare, baseline, golden, *(() if background is None else (background,))):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def read_manifest(folder: Folder) -> Manifest:
    """The manifest of the bundle in ``folder``; raises `ContractError` if it is missing or damaged."""
    return Manifest.from_json(_load(folder, MANIFEST))


def read_golden(folder: Folder) -> Golden:
    """The golden set of the bundle in ``folder``."""
    return Golden.from_json(_load(folder, GOLDEN))


def read_baseline(folder: Folder) -> dict[str, Any]:
    """The baseline of the bundle in ``folder``; raises `ContractError` if it is missing or damaged."""
    return _load(folder, BASELINE)


def read_background(folder: Folder) -> list[list[Any]]:
    """The rows, in signature order, that explanations compare with; raises `ContractError` where the bundle has
    none."""
    if not holds(folder, BACKGROUND):
        raise ContractError(
            f"{folder} holds no {BACKGROUND}, which explanations need. Package the model again, with the table "
            "[endpoint.NAME.explanations] in serinus.toml."
        )
    rows: list[list[Any]] = _load(folder, BACKGROUND)["rows"]
    return rows


def verify(folder: Folder) -> Manifest:
    """The manifest, after checking that the folder's files hash to its version; raises `ContractError` if not."""
    manifest = read_manifest(folder)
    try:
        actual = compute_version(
            read_file(folder, GRAPH),
            _load(folder, MANIFEST),
            read_file(folder, BASELINE),
            read_file(folder, GOLDEN),
            read_file(folder, BACKGROUND) if holds(folder, BACKGROUND) else None,
        )
    except FileNotFoundError as error:
        raise ContractError(
            f"bundle {folder} lacks a file: {error.filename} is missing. Package the model again."
        ) from error
    if actual != manifest.version:
        raise ContractError(
            f"bundle {folder} was changed after packaging: its files hash to {actual[:SHORT]}, "
            f"its manifest says {manifest.short_version}. Package the model again."
        )
    return manifest


def _load(folder: Folder, name: str) -> dict[str, Any]:
    try:
        data = json.loads(read_file(folder, name))
    except FileNotFoundError as error:
        raise ContractError(f"{folder} is not a bundle: {name} is missing.") from error
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{path_in(folder, name)} is damaged ({error}). Package the model again.") from error
    if not isinstance(data, dict):
        raise ContractError(
            f"{path_in(folder, name)} is damaged: it holds no JSON object. Package the model again."
        )
    return data
