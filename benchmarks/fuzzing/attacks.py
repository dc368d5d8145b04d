"""Requests made by hand, each to break one thing."""

import gzip
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from fuzzing.target import Request

JSON = {"content-type": "application/json"}
LENGTH = "inference-header-content-length"


def attacks(model: str, valid: dict[str, Any]) -> Iterator[Request]:
    """Every attack on the endpoint of ``model``; ``valid`` holds a good JSON body by path of a POST route."""
    for path, document in valid.items():
        good = json.dumps(document).encode()
        yield from _bodies(path, good)
        yield from _leaves(path, document)
        yield from _media(path, good)
        yield from _encodings(path, good)
        yield from _headers(path, good)
    yield from _tensors(f"/v2/models/{model}/infer", valid[f"/v2/models/{model}/infer"])
    yield from _tables()
    yield from _paths()


def _bodies(path: str, good: bytes) -> Iterator[Request]:
    deep = 50_000
    opened, closed = good.rpartition(b"}")[0], b"}"
    for body in (
        b"",
        b" \n",
        b"null",
        b"0",
        b'""',
        b"[]",
        b"{}",
        b"[" * deep,
        b"[" * deep + b"]" * deep,
        b'{"a":' * deep + b"1" + b"}" * deep,
        b'{"rows":' + b"[" * deep + b"]" * deep + b"}",
        b'{"rows":[[' + b"[" * 900 + b"]" * 900 + b"]]}",
        good[:-1],
        good + good,
        good + b"\0",
        b"\xef\xbb\xbf" + good,
        good.decode().encode("utf-16"),
        good.decode().encode("utf-32-be"),
        b"\xff" + good,
        b"\xc0\xaf",
        b'{"\xed\xa0\x80": 1}',
        b'{"\\ud800": "\\udfff"}',
        opened + b', "\\ud800": 1' + closed,
        opened + b', "__proto__": {}, "__class__": "os.system"' + closed,
        opened + b", " + good[1:],
        *(good.replace(b"{", b'{"%s": 1, "%s": 2, ' % (key, key)) for key in (b"rows", b"age", b"name", b"data")),
        opened + b"," + b",".join(b'"%d":%d' % (n, n) for n in range(5000)) + closed,
        b'{"' + b"k" * 300_000 + b'": 1}',
        b"\0" * 1000,
        b"${jndi:ldap://127.0.0.1/a}",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"\x80\x04\x95.",
        b"9" * 100_000,
        b" " * 5_000_000,
    ):
        yield Request("POST", path, JSON, body)


#: What stands where a value stood, as JSON text.
_VALUES = (
    "NaN",
    "-Infinity",
    "Infinity",
    "1e999",
    "-1e999",
    "1e-999",
    "1E400",
    "9" * 401,
    "9" * 4000,
    "9" * 5000,
    "-" + "9" * 4299,
    "0." + "0" * 5000 + "1",
    "-0",
    "-0.0",
    "00",
    "+1",
    "0x10",
    "1_000",
    "true",
    "null",
    "{}",
    "[]",
    "[[[[[[]]]]]]",
    '""',
    '"NaN"',
    '"\\u0000"',
    '"\\ud800"',
    '"' + "x" * 200_000 + '"',
    '"../../etc/passwd"',
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "3.5e38",
    "5e-324",
)


def _leaves(path: str, document: Any) -> Iterator[Request]:
    """Each value of the document, and each container, replaced by each of the above."""
    for place in _places(document):
        for value in _VALUES:
            text = json.dumps(_replaced(document, place, "@@")).replace('"@@"', value)
            yield Request("POST", path, JSON, text.encode("utf-8", "surrogatepass"))


def _places(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if above:
        yield above
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield from _places(value, (*above, key))


def _replaced(node: Any, place: Sequence[Any], value: Any) -> Any:
    if not place:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[place[0]] = _replaced(node[place[0]], place[1:], value)
    return copy


def _media(path: str, good: bytes) -> Iterator[Request]:
    for media in (
        "text/csv",
        "text/csv; header=present",
        "TEXT/CSV;charset=utf-16",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/x-python-pickle",
        "application/json;" * 300,
        "; ; ;",
        "\x00",
        "ä/ö",
        "a" * 8000,
    ):
        yield Request("POST", path, {"content-type": media}, good)
    for accept in ("text/csv", "x", ",,,;;;=", "*/*;q=nan", "*/*;q=-1", "a/b;q=" + "9" * 400, "a/b," * 3000):
        yield Request("POST", path, {**JSON, "accept": accept, "accept-encoding": accept}, good)


def _encodings(path: str, good: bytes) -> Iterator[Request]:
    bomb = gzip.compress(bytes(60_000_000), 9)
    bodies = {
        "gzip": (
            good,
            b"",
            gzip.compress(good)[:-1],
            gzip.compress(good) + b"x",
            bomb,
            gzip.compress(bomb),
            b"\x1f\x8b",
        ),
        "deflate": (zlib.compress(bytes(60_000_000), 9), zlib.compress(good)[2:], b"\x78"),
        "br": (good,),
        "gzip, gzip": (gzip.compress(gzip.compress(good)),),
        "x" * 5000: (good,),
        "identity": (good,),
    }
    for coding, sent in bodies.items():
        for body in sent:
            yield Request("POST", path, {**JSON, "content-encoding": coding, "accept-encoding": "gzip"}, body)
    for raw in ("%%%%", "a", "====", "ab=c", "ü" * 9, "A" * 4001, " ", "\ud800"):
        yield Request("POST", path, JSON, raw=raw)


def _headers(path: str, good: bytes) -> Iterator[Request]:
    for name, value in (
        ("content-length", "9999999"),
        ("content-length", "-1"),
        ("content-length", "x"),
        ("transfer-encoding", "chunked"),
        ("x-large", "x" * 60_000),
        ("host", "evil\r\nx: y"),
        ("host", "a:b:c"),
        ("x-forwarded-port", "port"),
        ("x-forwarded-proto", "\r\n"),
        ("cookie", "a=" * 5000),
        ("origin", "null"),
        ("", ""),
        ("ä", "ö"),
        (":path", "/other"),
        *((LENGTH, text) for text in ("", "-1", "0", "1", "²", "1e3", "99999999999999999999", "0x10", "5, 5")),
    ):
        yield Request("POST", path, {**JSON, name: value}, good)
    for name in ("x", "content-type ", "accept"):
        yield Request("POST", path, {**JSON, **{f"{name}{number}": "y" * 90 for number in range(2000)}}, good)


def _tensors(path: str, document: dict[str, Any]) -> Iterator[Request]:
    first = document["inputs"][0]
    count = len(document["inputs"])
    for shape in (
        [],
        [0],
        [-1, -1],
        [2**63, 2**63],
        [1] * 5000,
        [10**300],
        [1, 2**62],
        [1.5],
        [True],
        ["1"],
        None,
    ):
        yield Request("POST", path, JSON, json.dumps({"inputs": [{**first, "shape": shape}] * count}).encode())
    for size in (0, 1, -1, 2**31, 2**70, 1.5, True, "4", None, [], 4):
        for tail in (b"", b"\0" * 4, b"\xff" * 64, struct.pack("<I", 2**32 - 1)):
            for datatype in ("BYTES", "FP32", "BOOL", "FP16", "BF16", "", "é"):
                bare = {**{key: value for key, value in first.items() if key != "data"}, "datatype": datatype}
                tensor = {**bare, "parameters": {"binary_data_size": size}}
                head = json.dumps({"inputs": [tensor] * count}).encode()
                yield Request("POST", path, {LENGTH: str(len(head))}, head + tail)


def _tables() -> Iterator[Request]:
    for body in (
        b"",
        b"\n" * 100_000,
        b"," * 200_000,
        b'"' * 99_999,
        b'"' + b"x" * 200_000 + b'"',
        b"a\0b,c\n",
        b"\xff\xfe",
        b"=cmd|'/c calc'!A1,2\n",
        b"1,2\r3,4\r\n5,6\n",
        b"x\n" * 500_000,
    ):
        for media in ("text/csv", "text/csv;header=present", "text/csv;header=absent"):
            yield Request("POST", "/invocations", {"content-type": media, "accept": "text/csv"}, body)


def _paths() -> Iterator[Request]:
    for method in (
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "HEAD",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "FOO",
        "",
        "get",
        "G T",
        "é",
    ):
        for path in (
            "/predict",
            "/model",
            "/v2",
            "/v2/",
            "/v2/models/../models",
            "//predict",
            "/predict/",
            "/predict/../model",
            "/predict%00",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/..;/predict",
            "/predict;a=b",
            "/\\predict",
            "/docs/../../",
            "/v2/models/%0d%0aset-cookie:a=b/infer",
            "/v2/models/" + "a" * 9000 + "/infer",
            "/é",
            "/%ff%fe",
            "/{proxy+}",
            "/predict?x=1",
            "/\x00",
            "",
        ):
            yield Request(method, path)
