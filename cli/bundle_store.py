"""Bundles in S3, for projects that keep them out of git: the lock names version and place, `bundles/` is a cache.

A bundle is stored under `PREFIX/MODEL/VERSION/`, its manifest last: a bundle with a manifest is whole. Bundles
never change, so one that is stored already is not stored again, and what is fetched is verified by its version.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from serinus.cli.candidates import find_candidates, stored_bundles
from serinus.cli.errors import CliError
from serinus.lambda_handlers.contract.bundle import (
    BACKGROUND,
    CARD,
    MANIFEST,
    PROVENANCE,
    SHIPPED,
    SHORT,
    Manifest,
    verify,
)
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import SCHEME, Lock, Pin
from serinus.modelpack.atomic import folder_beside
from serinus.modelpack.bundle import BUNDLES

#: In the order in which they are stored.
_FILES = (*(name for name in SHIPPED if name != MANIFEST), BACKGROUND, CARD, PROVENANCE, MANIFEST)
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True)
class BundlePlace:
    """A bundle's place in S3."""

    bucket: str
    prefix: str

    @classmethod
    def at(cls, url: str) -> "BundlePlace":
        """The place that ``url`` (`s3://BUCKET/PREFIX`) names."""
        bucket, _, prefix = url.removeprefix(SCHEME).partition("/")
        return cls(bucket, prefix.strip("/"))

    @property
    def url(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}"

    def key(self, name: str) -> str:
        """The key of the bundle's file ``name``."""
        return f"{self.prefix}/{name}"


def store_url(store: str, manifest: Manifest) -> str:
    """Where ``store`` (`s3://BUCKET/PREFIX`) keeps a bundle."""
    return f"{store.rstrip('/')}/{manifest.name}/{manifest.short_version}"


def push(s3: Any, folder: Path, url: str) -> bool:
    """Store the bundle in ``folder`` at ``url``; returns False if it is there already. Raises `CliError` where S3
    rejects it, and `ContractError` for a damaged bundle."""
    manifest, place = verify(folder), BundlePlace.at(url)
    with _explained(url, f"store the bundle of {manifest.name} {manifest.short_version}", "s3:PutObject"):
        if (stored := _stored_manifest(s3, place)) is not None:
            if stored != (folder / MANIFEST).read_bytes():
                raise CliError(
                    f"{url} holds another bundle than {folder}. Bundles never change: delete what is there, or "
                    "choose another bundle_store in serinus.toml."
                )
            return False
        for name in _FILES:
            if (folder / name).is_file():
                s3.upload_file(str(folder / name), place.bucket, place.key(name))
    return True


def fetch(s3: Any, pin: Pin, project: Path) -> bool:
    """Copy the bundle that ``pin`` names from S3 to its folder in ``project``; returns False if it is there
    already, intact. Raises `CliError` where S3 does not have it, or has another."""
    target = project / pin.folder
    if target.is_dir():
        try:
            if verify(target).version == pin.version:
                return False
        except ContractError as error:
            raise CliError(f"{error} Move {target} away, then fetch again.") from error
        raise CliError(f"{target} holds another bundle than the lock names. Move it away, then fetch again.")
    place = BundlePlace.at(pin.bundle)
    with folder_beside(target) as draft:
        with _explained(pin.bundle, "fetch the bundle", "s3:GetObject"):
            for name in _FILES:
                _download(s3, place, name, draft)
        try:
            version = verify(draft).version
        except ContractError as error:
            raise CliError(
                f"{pin.bundle} is damaged ({error}) Delete it, and push it from a checkout that holds the bundle."
            ) from error
        if version != pin.version:
            raise CliError(
                f"{pin.bundle} holds version {version[:SHORT]}, and the lock names {pin.version[:SHORT]}. "
                "Nothing was fetched."
            )
    return True


def unpinned(project: Path, lock: Lock, keep: int) -> list[Path]:
    """Folders of bundles in ``project`` that no environment pins, but for candidates, and the ``keep`` newest of
    the others of each model: a rollback needs the one that served before."""
    pinned = {pin.version for pins in lock.values() for pin in pins.values()}
    chosen: list[Path] = []
    for model in sorted(path.name for path in (project / BUNDLES).glob("*") if path.is_dir()):
        kept = pinned | {
            bundle.version
            for environment, pins in lock.items()
            if model in pins
            for bundle in find_candidates(project, environment, model)
        }
        # Newest first.
        others = [bundle.folder for bundle in stored_bundles(project, model) if bundle.version not in kept]
        chosen += others[keep:]
    return chosen


def delete(folders: Iterable[Path]) -> int:
    """Delete ``folders``; returns how many bytes they had."""
    size = 0
    for folder in folders:
        size += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder)
    return size


def _stored_manifest(s3: Any, place: BundlePlace) -> bytes | None:
    try:
        content: bytes = s3.get_object(Bucket=place.bucket, Key=place.key(MANIFEST))["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    return content


def _download(s3: Any, place: BundlePlace, name: str, folder: Path) -> None:
    try:
        s3.download_file(place.bucket, place.key(name), str(folder / name))
    except ClientError as error:
        if name in SHIPPED or error.response["Error"]["Code"] not in _MISSING:
            raise


@contextmanager
def _explained(url: str, action: str, permission: str) -> Iterator[None]:
    """Report what S3 answers in the block as a `CliError` with the next step."""
    try:
        yield
    except S3UploadFailedError as error:
        raise CliError(f"S3 did not {action} at {url}: {error}. It needs {permission} there.") from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        bucket = BundlePlace.at(url).bucket
        if code == "NoSuchBucket":
            message = f"there is no bucket {bucket}. Create it, private: `aws s3 mb s3://{bucket}`."
        elif code in _MISSING:
            message = (
                f"{url} does not hold a whole bundle. Push it from a checkout that has it: `serinus bundles push`."
            )
        elif code in ("AccessDenied", "403", "Forbidden"):
            message = f"AWS does not let you {action} at {url}. It needs {permission} and s3:ListBucket there."
        else:
            raise
        raise CliError(message) from error
