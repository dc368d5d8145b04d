"""Pickling what was never meant to be: moto's backends, with their locks, spooled files, keys and lambdas.

What is large and never changes is kept apart: the bytes of S3 objects lie in files under their hash, and AWS's
own managed policies, of which moto makes thousands, are taken from the moto that reads the pickle.
"""

import contextlib
import hashlib
import io
import itertools
import marshal
import pickle
import sys
import threading
import types
import weakref
from collections import defaultdict
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.s3.models import FakeKey

from serinus.offline.cloud.state_layout import BLOB, PARTIAL, unused

#: Smaller objects lie in the pickle itself.
SMALLEST_BLOB_BYTES = 4096
#: How often a pickle is begun anew because another thread changed what it was reading.
MOST_ATTEMPTS = 20
LOCK_TYPES = {type(threading.RLock()): threading.RLock, type(threading.Lock()): threading.Lock}


class Blobs:
    """Files of bytes in an existing folder, each under its SHA-256."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[int, tuple[weakref.ref[Any], str, str]] = {}
        #: The blobs that the last pickles named.
        self.named: set[str] = set()

    def keep(self, key: FakeKey) -> str:
        """Keep an S3 object's bytes; returns their hash. An object whose etag is known is not read again.

        Raises `OSError` where they cannot be written.
        """
        etag: str = key.etag
        cached = self._known.get(id(key))
        if cached is None or cached[0]() is not key or cached[1] != etag or not (self.root / cached[2]).exists():
            cached = (weakref.ref(key), etag, self._write(key.value))
            self._known[id(key)] = cached
        self.named.add(cached[2])
        return cached[2]

    def read(self, sha256: str) -> bytes:
        data = (self.root / sha256).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"{self.root / sha256} is damaged: it has another hash than its name")
        return data

    def drop_unnamed(self) -> None:
        """Remove the files that no pickle names any more."""
        for path in unused(self.root, BLOB, self.named):
            path.unlink(missing_ok=True)
        self._known = {key_id: known for key_id, known in self._known.items() if known[0]() is not None}

    def _write(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.root / sha256
        if not target.exists():
            partial = target.with_suffix(PARTIAL)
            try:
                partial.write_bytes(data)
                partial.replace(target)
            except OSError:
                with contextlib.suppress(OSError):
                    partial.unlink()
                raise
        return sha256


class StatePickler(pickle.Pickler):
    """Pickles a part of the cloud's state; the bytes of S3 objects go to ``blobs``."""

    def __init__(self, target: io.BytesIO, blobs: Blobs) -> None:
        super().__init__(target, protocol=pickle.HIGHEST_PROTOCOL)
        self._blobs = blobs

    def reducer_override(self, obj: Any) -> Any:
        lock_factory = LOCK_TYPES.get(type(obj))
        if lock_factory is not None:
            return lock_factory, ()
        if isinstance(obj, FakeKey) and not obj.disposed and obj.contentsize >= SMALLEST_BLOB_BYTES:
            state = {**obj.__getstate__(), "value": BlobReference(self._blobs.keep(obj))}
            return new_key, (), state, None, None, set_key_state
        if isinstance(obj, AWSManagedPolicy):
            return aws_policy, (obj.account_id, obj.partition, obj.arn, obj.attachment_count)
        if isinstance(obj, RSAPrivateKey | EllipticCurvePrivateKey):
            return load_private_key, (_pem(obj),)
        if isinstance(obj, defaultdict) and type(obj) is not defaultdict:
            return new_defaultdict, (type(obj), obj.default_factory), vars(obj), None, iter(obj.items())
        if isinstance(obj, types.FunctionType) and "<locals>" in obj.__qualname__ and obj.__closure__ is None:
            return load_function, (obj.__module__, marshal.dumps(obj.__code__), obj.__defaults__)
        return NotImplemented


class BlobReference:
    """Stands for an S3 object's bytes inside a pickle."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256


_reading = threading.local()


def new_key() -> FakeKey:
    return FakeKey.__new__(FakeKey)


def set_key_state(key: FakeKey, state: dict[str, Any]) -> None:
    """Restore an S3 object whose bytes are a blob."""
    key.__setstate__({**state, "value": _reading.blobs.read(state["value"].sha256)})


def new_defaultdict(cls: type[defaultdict[Any, Any]], factory: Any) -> Any:
    """A subclass of defaultdict whose own ``__init__`` takes other arguments than the pickle module gives it."""
    copy = defaultdict.__new__(cls)
    defaultdict.__init__(copy, factory)
    return copy


def aws_policy(account_id: str, partition: str, arn: str, attachment_count: int) -> Any:
    """AWS's own policy of this name as moto knows it, attached as often as it was."""
    policy = iam_backends[account_id][partition].managed_policies[arn]
    policy.attachment_count = attachment_count
    return policy


def load_private_key(pem: bytes) -> Any:
    return serialization.load_pem_private_key(pem, None)


def load_function(module: str, code: bytes, defaults: tuple[Any, ...] | None) -> types.FunctionType:
    """A function that was defined inside another and closes over nothing, such as a defaultdict's factory."""
    __import__(module)
    return types.FunctionType(marshal.loads(code), vars(sys.modules[module]), argdefs=defaults)


def _pem(key: RSAPrivateKey | EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def dumps(value: Any, blobs: Blobs) -> bytes:
    """``value`` as bytes. Tries again where another thread changed it meanwhile."""
    for attempt in itertools.count(1):
        target = io.BytesIO()
        try:
            StatePickler(target, blobs).dump(value)
        except RuntimeError:
            if attempt == MOST_ATTEMPTS:
                raise
        else:
            break
    return target.getvalue()


def loads(data: bytes, blobs: Blobs) -> Any:
    """What `dumps` made bytes of."""
    _reading.blobs = blobs
    return pickle.loads(data)
