"""Copies a finished bundle into the project, whole, and pins it; by then all of the model's code has run."""

from dataclasses import replace
from pathlib import Path

from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.contract.lock import Pin
from serinus.modelpack.bundle import bundle_folder, publish_bundle
from serinus.modelpack.errors import RequestError
from serinus.modelpack.locking import pin_bundle
from serinus.modelpack.request import PackageRequest, PackageResult


def publish(request: PackageRequest, drafted: PackageResult, draft: Path) -> PackageResult:
    """Copy the bundle in folder ``draft`` into the project and, unless ``request`` is for a candidate, pin it;
    return ``drafted`` with its final folder and size. A dry run writes nothing. Raises `RequestError` where the
    project cannot be written to."""
    manifest = read_manifest(draft)
    folder = bundle_folder(request.project, manifest)
    try:
        if not request.dry_run:
            folder = publish_bundle(request.project, draft)
            if not request.candidate:
                pin = Pin(manifest.version, folder.relative_to(request.project).as_posix())
                pin_bundle(request.project, request.environment, request.name, pin)
    except OSError as error:
        raise RequestError(
            f"the bundle cannot be written to {request.project} ({error}). Free disk space there, or grant "
            "yourself write permission."
        ) from error
    weight = sum(file.stat().st_size for file in folder.iterdir()) if folder.is_dir() else 0
    return replace(drafted, bundle=folder, bundle_bytes=weight)
