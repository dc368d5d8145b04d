"""Deployment packages: their sources, AWS's checks and their storage.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import base64
import hashlib
import hmac
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import CloudContext

URL_PATH = "/_offline/lambda/archives"
MAX_DIRECT_ZIP_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Package:
    """An accepted zip; ``sha256`` is hex."""

    sha256: str
    size_bytes: int
    unzipped_bytes: int


class Archives:
    """The zips of functions and layers, each stored once under its hash."""

    def __init__(self, root: Path, context: CloudContext) -> None:
        self.root = root
        self._context = context
        root.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        return self.root / f"{sha256}.zip"

    def url(self, sha256: str) -> str:
        """The URL from which a client downloads an archive."""
        config = self._context.config
        path = f"{URL_PATH}/{sha256}"
        return f"{config.endpoint_url}{path}?seal={config.root_key.seal(path)}"

    def is_sealed(self, sha256: str, seal: str) -> bool:
        """Whether `url` issued ``seal`` for ``sha256``."""
        expected = self._context.config.root_key.seal(f"{URL_PATH}/{sha256}")
        return hmac.compare_digest(expected.encode(), seal.encode())

    def accept(self, code: dict[str, Any], region: str) -> Package:
        """Fetch, check and store the zip of a Code or Content parameter. Blocks: call it from a thread."""
        data = self._read(code, region)
        unzipped_bytes = _unzipped_bytes(data)
        if unzipped_bytes >= MAX_UNZIPPED_BYTES:
            raise AwsError(
                "InvalidParameterValueException",
                f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes",
            )
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.path(sha256)
        if not target.exists():
            partial = target.with_suffix(f".{id(data)}.partial")
            partial.write_bytes(data)
            partial.rename(target)
        return Package(sha256, len(data), unzipped_bytes)

    def _read(self, code: dict[str, Any], region: str) -> bytes:
        for unmodelled in ("ImageUri", "SourceKMSKeyArn"):
            if code.get(unmodelled):
                raise NotModelled(f"lambda functions with {unmodelled}")
        if code.get("S3ObjectStorageMode") == "REFERENCE":
            raise NotModelled("lambda S3ObjectStorageMode REFERENCE")
        if code.get("ZipFile") is not None:
            return _direct(code["ZipFile"])
        if code.get("S3Bucket") and code.get("S3Key"):
            return self._from_s3(code, region)
        raise AwsError("InvalidParameterValueException", "Please provide a source for function code.")

    def _from_s3(self, code: dict[str, Any], region: str) -> bytes:
        version = {"VersionId": code["S3ObjectVersion"]} if code.get("S3ObjectVersion") else {}
        try:
            stored = self._context.client("s3", region).get_object(
                Bucket=code["S3Bucket"], Key=code["S3Key"], **version
            )
        except ClientError as error:
            reason = error.response["Error"]
            raise AwsError(
                "InvalidParameterValueException",
                f"Error occurred while GetObject. S3 Error Code: {reason['Code']}. "
                f"S3 Error Message: {reason['Message']}",
            ) from error
        data: bytes = stored["Body"].read()
        return data


def hex_to_aws(sha256: str) -> str:
    """A hex SHA-256 as in Lambda's CodeSha256: base64."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _direct(value: bytes) -> bytes:
    if len(value) > MAX_DIRECT_ZIP_BYTES:
        raise AwsError(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {MAX_DIRECT_ZIP_BYTES} bytes for the CreateFunction operation; "
            "put the zip into S3 instead",
            status=413,
        )
    return value


def _unzipped_bytes(data: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise AwsError(
            "InvalidParameterValueException",
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ) from error
