"""The access key of this cloud's owner, its account's root: random, in a file that only the owner can read.

The file has the form of AWS's shared credentials, so that AWS_SHARED_CREDENTIALS_FILE may name it.
"""

import base64
import configparser
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from serinus.offline.core.errors import OfflineError

PROFILE = "default"
#: 20 characters of an access key's alphabet, 40 of a secret's, as on AWS.
_KEY_ID_BYTES = 10
_SECRET_BYTES = 30
_ID, _SECRET = "aws_access_key_id", "aws_secret_access_key"
_LARGEST_FILE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RootKey:
    """An access key id and its secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """An unguessable key."""
        tail = base64.b32encode(secrets.token_bytes(_KEY_ID_BYTES)).decode()
        return cls(f"AKIA{tail}", base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The key in ``path``; raises `OfflineError` if there is none, or if others could have read it."""
        try:
            with path.open("rb") as file:
                status, content = os.fstat(file.fileno()), file.read(_LARGEST_FILE_BYTES)
        except OSError as error:
            raise OfflineError(f"the cloud's key cannot be read from {path}: {error.strerror}") from error
        if status.st_uid != os.getuid():
            raise OfflineError(
                f"{path} belongs to another user (id {status.st_uid}), who knows the key; remove it"
            )
        if mode := status.st_mode & 0o077:
            raise OfflineError(
                f"{path} holds the cloud's key and is open to other users (mode {mode:03o}); remove it, or "
                f"`chmod 600 {path}`"
            )
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(content.decode())
            only = {name: dict(parser[name]) for name in parser.sections()}
            key = cls(only[PROFILE].pop(_ID), only[PROFILE].pop(_SECRET))
        except (configparser.Error, KeyError, ValueError) as error:
            raise OfflineError(f"{path} has no access key; remove it and start the cloud again") from error
        if only != {PROFILE: {}} or not (key.access_key_id and key.secret_access_key):
            raise OfflineError(
                f"{path} is not the file of an offline cloud: it holds other profiles or settings, or an empty "
                "key. Name a separate file, which is created if missing"
            )
        return key

    def write(self, path: Path) -> None:
        """Write the key to ``path``, never readable by other users; raises `OfflineError`."""
        try:
            self._write(path)
        except OSError as error:
            raise OfflineError(f"the cloud's key cannot be written to {path}: {error.strerror}") from error

    def _write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"[{PROFILE}]\n{_ID} = {self.access_key_id}\n{_SECRET} = {self.secret_access_key}\n")
        beside.replace(path)

    def credentials(self) -> Any:
        """The key as botocore's signers accept it."""
        from botocore.credentials import Credentials

        return Credentials(self.access_key_id, self.secret_access_key)

    def seal(self, path: str) -> str:
        """The signature, in hex, of a link to ``path`` that this cloud issued."""
        return hmac.new(self.secret_access_key.encode(), path.encode(), hashlib.sha256).hexdigest()
