"""Reads the versions that saved a model file from its bytes, without running anything in it.

scikit-learn writes its version beside each estimator's state
(https://scikit-learn.org/stable/model_persistence.html), XGBoost into its JSON and UBJSON, which its pickles hold
too; NumPy 2 pickles arrays under another module name than NumPy 1. LightGBM and CatBoost write no version, but
pickles of them name their modules.
"""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_CHUNK_BYTES = 1 << 22
#: Longer than any of the patterns below, which may lie across two chunks.
_OVERLAP_BYTES = 512
#: Beyond this the search ends: an archive may unpack to more than any disk holds.
_MOST_BYTES = 1 << 34

_NUMBER = rb"([0-9]+\.[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.dev|\.post)[0-9]+)*)"
#: The text that follows in pickles of every protocol, by its opcodes: short or long text, or text on a line.
_PICKLED = rb"(?:\x94|q.|r.{4}|\np[0-9]+\n)?(?:\x8c.|X.{4}|V)"
_SKLEARN = re.compile(
    rb"_sklearn_version(?:" + _PICKLED + rb"|\"\s*:\s*\{[^{}]{0,200}\"content\"\s*:\s*\"\\\")" + _NUMBER, re.DOTALL
)
_XGBOOST_JSON = re.compile(rb'"version"\s*:\s*\[\s*([0-9]+)\s*,\s*([0-9]+)\s*,\s*([0-9]+)\s*\]')
_XGBOOST_UBJSON = re.compile(rb"L\x00{7}\x07version\[#L\x00{7}\x03i(.)i(.)i(.)", re.DOTALL)
_NUMPY_2 = re.compile(rb"numpy\._core[.a-z_]*")
_BOOSTERS = re.compile(rb"(xgboost|lightgbm|catboost)\.(?:sklearn|core|basic)\b")


@dataclass(frozen=True, slots=True)
class SavedVersions:
    """``versions`` by distribution name ("scikit-learn": "1.4.2"), as far as the file says. ``numpy_2``: NumPy 2
    or later saved its arrays; ``boosters`` are the boosting libraries whose classes it names."""

    versions: dict[str, str]
    numpy_2: bool = False
    boosters: frozenset[str] = frozenset()


def read_saved_versions(path: Path) -> SavedVersions:
    """The versions that saved model file ``path``; none where it cannot be read, which loading it will report."""
    versions: dict[str, str] = {}
    numpy_2 = False
    boosters: set[str] = set()
    try:
        for chunk in _chunks(path):
            match = _SKLEARN.search(chunk)
            # A number at the very end may go on in the next piece, which holds its beginning too.
            if "scikit-learn" not in versions and match and match.end() < len(chunk):
                versions["scikit-learn"] = match[1].decode()
            if "xgboost" not in versions and (match := _XGBOOST_UBJSON.search(chunk)):
                versions["xgboost"] = ".".join(str(part[0]) for part in match.groups())
            elif "xgboost" not in versions and (match := _XGBOOST_JSON.search(chunk)):
                versions["xgboost"] = b".".join(match.groups()).decode()
            boosters.update(name.decode() for name in _BOOSTERS.findall(chunk))
            numpy_2 = numpy_2 or _NUMPY_2.search(chunk) is not None
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile):
        pass  # cut short or not such an archive: the versions read so far hold
    return SavedVersions(versions, numpy_2, frozenset(boosters))


def _chunks(path: Path) -> Iterator[bytes]:
    """The content, unpacked, in pieces that overlap."""
    kept, seen = b"", 0
    for piece in _pieces(path):
        yield kept + piece
        kept = piece[-_OVERLAP_BYTES:]
        seen += len(piece)
        if seen > _MOST_BYTES:
            return


def _pieces(path: Path) -> Iterator[bytes]:
    """``path``, unpacked from any format that joblib and skops compress with."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")):
        yield from _inflated(path)
        return
    with _opened(path, head) as unpacked:
        while piece := unpacked.read(_CHUNK_BYTES):
            yield piece


def _opened(path: Path, head: bytes) -> IO[bytes] | gzip.GzipFile:
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(path)
    if head.startswith(b"BZh"):
        return bz2.open(path)
    if head.startswith((b"\xfd7z", b"\x5d\x00")):
        return lzma.open(path)
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        archive = zipfile.ZipFile(path)
        if "schema.json" in archive.namelist():
            return archive.open("schema.json")
    return path.open("rb")


def _inflated(path: Path) -> Iterator[bytes]:
    """A zlib stream, joblib's default compression, which no module opens as a file."""
    stream = zlib.decompressobj()
    with path.open("rb") as file:
        while not stream.eof and (compressed := stream.unconsumed_tail or file.read(_CHUNK_BYTES)):
            yield stream.decompress(compressed, _CHUNK_BYTES)
