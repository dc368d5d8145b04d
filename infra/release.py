"""Reads the release to be deployed: the bundle that the lock pins and the layers built for it.

Everything is checked by hash here, so that a template never names other bytes than the lock does.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from serinus.infra.errors import ReleaseError
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT, UNBOUND_ENVIRONMENTS
from serinus.infra.settings import Endpoint, Settings
from serinus.lambda_handlers.contract.build import (
    BUILD_DIR,
    CODE_DIR,
    FUNCTION_CODE_BYTES,
    LARGEST_UNZIPPED_BYTES,
    BuildManifest,
    BuiltLayer,
    function_sources,
    read_build,
    runtime_key,
)
from serinus.lambda_handlers.contract.bundle import SHORT, Manifest, read_background, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, Lock, Pin, read_lock


@dataclass(frozen=True, slots=True)
class LayerZip:
    """A built layer whose bytes were checked against its ``sha256``."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """One endpoint's model and the layers that carry it."""

    model: Manifest
    runtime_layer: LayerZip
    model_layer: LayerZip
    #: Folder of the function's own code with bytecode; None where no Python of its version compiled it.
    code_root: Path | None = None


def pinned_bundle(project: Path, environment: str, model: str) -> Path:
    """The folder of the bundle that ``environment`` deploys for ``model``, checked to be unchanged.

    Raises `ReleaseError` if nothing is pinned, or the folder holds another bundle.
    """
    pin = _pin(project, environment, model)
    try:
        folder = project / pin.folder
        if pin.is_stored and not folder.is_dir():
            raise ReleaseError(
                f"{LOCK} pins {model} {pin.version[:SHORT]} for {environment}, which is kept at {pin.bundle} and "
                f"not on this machine. Copy it here: `serinus bundles fetch {model} --env {environment}`."
            )
        manifest = verify(folder)
    except ContractError as error:
        raise ReleaseError(str(error)) from error
    if (manifest.version, manifest.name) != (pin.version, model):
        raise ReleaseError(
            f"{LOCK} pins {model} {pin.version[:SHORT]} for {environment}, but {pin.folder} holds "
            f"{manifest.name} {manifest.short_version}. Restore that folder, or package the model again."
        )
    return folder


def pinned_version(project: Path, environment: str, model: str) -> str | None:
    """The version of the bundle that the lock pins of ``model`` for ``environment``; None if it pins none."""
    pin = _find_pin(read_pins(project), environment, model)
    return pin.version if pin else None


def pinned_versions(project: Path, environment: str) -> dict[str, str]:
    """The versions of the bundles that a deploy of ``environment`` may use, by model."""
    lock = read_pins(project)
    pins = {**(lock.get(DEFAULT_ENVIRONMENT, {}) if environment == LOCAL_ENVIRONMENT else {})}
    return {model: pin.version for model, pin in (pins | dict(lock.get(environment, {}))).items()}


def is_pinned(project: Path, environment: str, model: str) -> bool:
    """Whether the lock pins a bundle of ``model`` for ``environment``."""
    return pinned_version(project, environment, model) is not None


def split_by_pin(project: Path, settings: Settings) -> tuple[Settings, tuple[Endpoint, ...]]:
    """``settings`` with the endpoints that a deploy of their environment includes, and those that it leaves out:
    the lock does not pin their model there, and the settings do not require them."""
    lock = read_pins(project)

    def is_left_out(endpoint: Endpoint) -> bool:
        return not endpoint.is_required and _find_pin(lock, settings.environment, endpoint.model) is None

    included = tuple(endpoint for endpoint in settings.endpoints if not is_left_out(endpoint))
    left_out = tuple(endpoint for endpoint in settings.endpoints if is_left_out(endpoint))
    return replace(settings, endpoints=included), left_out


def describe_left_out(environment: str, left_out: Sequence[Endpoint]) -> str:
    """The endpoints that a deploy of ``environment`` leaves out because nothing is pinned for them, in words."""
    names = ", ".join(endpoint.name for endpoint in left_out)
    return f"left out of {environment}, because {LOCK} pins no bundle for it there: {names}"


def unpinned_advice(project: Path, environment: str, model: str) -> str:
    """How ``model``, which the lock does not pin for ``environment``, can be pinned there: a sentence."""
    lock = read_pins(project)
    sources = sorted(name for name, models in lock.items() if model in models and name != environment)
    if sources:
        source = DEFAULT_ENVIRONMENT if DEFAULT_ENVIRONMENT in sources else sources[0]
        return (
            f"`serinus pin {model} --from {source} --to {environment}` pins the bundle that {source} pins, after "
            "showing it."
        )
    flag = "" if environment in UNBOUND_ENVIRONMENTS else f" --env {environment}"
    if (project / "bundles" / model).is_dir():
        return f"`serinus pin {model}{flag}` pins one of bundles/{model}."
    return f"Package it: `serinus package SOURCE --name {model} --sample SAMPLE{flag}`."


def read_release(project: Path, settings: Settings, endpoint: Endpoint) -> Release:
    """The release of ``endpoint``; raises `ReleaseError` if any part of it is missing, changed or too large."""
    try:
        folder = pinned_bundle(project, settings.environment, endpoint.model)
        model = verify(folder)
        if endpoint.settings.explanations is not None:
            read_background(folder)
        build = read_build(project / BUILD_DIR)
    except ContractError as error:
        raise ReleaseError(str(error)) from error
    runtime, bundle = _layers(build, endpoint, model)
    _check_size(endpoint, runtime, bundle)
    return Release(
        model=model,
        runtime_layer=_check_zip(project / BUILD_DIR, runtime),
        model_layer=_check_zip(project / BUILD_DIR, bundle),
        code_root=_compiled_code(project / BUILD_DIR / CODE_DIR / endpoint.settings.runtime),
    )


def find_layers(project: Path, settings: Settings, endpoint: Endpoint) -> list[BuiltLayer]:
    """The layers that are pinned for ``endpoint`` and built; omits missing and unreadable ones."""
    try:
        build, pin = (
            read_build(project / BUILD_DIR),
            _find_pin(read_pins(project), settings.environment, endpoint.model),
        )
    except (ContractError, ReleaseError):
        return []
    config = endpoint.settings
    runtime = build.runtime.get(runtime_key(config.runtime, config.architecture))
    model = build.models.get(pin.version) if pin else None
    return [layer for layer in (runtime, model) if layer is not None]


def read_pins(project: Path) -> Lock:
    """The lock of ``project``; raises `ReleaseError` where it is damaged."""
    try:
        return read_lock(project / LOCK)
    except ContractError as error:
        raise ReleaseError(str(error)) from error


def _pin(project: Path, environment: str, model: str) -> Pin:
    lock = read_pins(project)
    pin = _find_pin(lock, environment, model)
    if pin is None:
        known = ", ".join(sorted(lock.get(environment, {}))) or "none"
        raise ReleaseError(
            f"{LOCK} pins no bundle of model {model} for environment {environment} (it pins: {known}). "
            f"{unpinned_advice(project, environment, model)}"
        )
    return pin


def _find_pin(lock: Lock, environment: str, model: str) -> Pin | None:
    """The environment's pin; the offline cloud rehearses what the default environment would deploy."""
    pin = lock.get(environment, {}).get(model)
    if pin is None and environment == LOCAL_ENVIRONMENT:
        pin = lock.get(DEFAULT_ENVIRONMENT, {}).get(model)
    return pin


def _layers(build: BuildManifest, endpoint: Endpoint, model: Manifest) -> tuple[BuiltLayer, BuiltLayer]:
    key = runtime_key(endpoint.settings.runtime, endpoint.settings.architecture)
    if key not in build.runtime:
        raise ReleaseError(
            f"endpoint {endpoint.name} needs the runtime layer {key}, not built yet. Run `serinus build`."
        )
    if model.version not in build.models:
        raise ReleaseError(
            f"endpoint {endpoint.name} needs the layer of {model.name} {model.short_version}, not built yet. "
            "Run `serinus build`."
        )
    return build.runtime[key], build.models[model.version]


def _check_size(endpoint: Endpoint, *layers: BuiltLayer) -> None:
    total = sum(layer.unzipped_bytes for layer in layers) + FUNCTION_CODE_BYTES
    if total > LARGEST_UNZIPPED_BYTES:
        raise ReleaseError(
            f"{endpoint.name} is {total / 2**20:.1f} MB unzipped with its layers; "
            f"Lambda allows {LARGEST_UNZIPPED_BYTES / 2**20:.1f} MB. "
            f"`serinus inspect {endpoint.model} --sizes` lists the sizes."
        )


def _compiled_code(folder: Path) -> Path | None:
    """``folder``, after checking that its sources are the installed ones."""
    if not folder.is_dir():
        return None
    sources, files = function_sources()
    for file in files:
        copy = folder / file
        if not copy.is_file() or copy.read_bytes() != (sources / file).read_bytes():
            raise ReleaseError(
                f"{folder} was compiled from another {file} than is installed. Run `serinus build` again."
            )
    return folder


def _check_zip(folder: Path, layer: BuiltLayer) -> LayerZip:
    path = folder / layer.path
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise ReleaseError(f"the built layer {path} is missing. Run `serinus build`.") from error
    if actual != layer.sha256:
        raise ReleaseError(
            f"the built layer {path} was changed: it hashes to {actual[:SHORT]}, the build says "
            f"{layer.sha256[:SHORT]}. Run `serinus build` again."
        )
    return LayerZip(path, layer.sha256)
