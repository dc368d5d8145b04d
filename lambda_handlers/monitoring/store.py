"""The bucket: where collected lines, the hours' sums, references, the monitor's state and its reports are kept.

Whatever may be written twice, since Lambda delivers at least once, has a key that follows from its content, or is
written only if nobody else has written meanwhile.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import ClientError

HOUR_S = 3600
_FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BASELINE = re.compile(r"[0-9a-f]{8}")
_LINES_KEY = re.compile(r"(?P<moment>\d{4}-\d\d-\d\d/\d\d)/(?P<hour>\d+)-(?P<name>[0-9a-f]+)\.json\.gz")


class S3(Protocol):
    """boto3's S3 client, as far as it is used here."""

    def get_object(self, **parameters: Any) -> dict[str, Any]: ...
    def put_object(self, **parameters: Any) -> dict[str, Any]: ...
    def list_objects_v2(self, **parameters: Any) -> dict[str, Any]: ...


class WrittenMeanwhile(Exception):
    """Another run has written the object since it was read."""


class Stored(NamedTuple):
    """An object's JSON, and the tag that a conditional write of its successor names."""

    data: dict[str, Any]
    etag: str


class CollectedObject(NamedTuple):
    """An object of collected lines: of ``hour``, and logged in hour ``logged``, both since 1970; ``name`` follows
    from the lines."""

    key: str
    logged: int
    hour: int
    name: str


class Store:
    """Reads and writes the objects of bucket ``bucket``."""

    def __init__(self, s3: S3, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put_lines(self, function: str, logged: int, hour: int, name: str, lines: Sequence[str]) -> None:
        """Keep lines of ``hour`` that were logged in hour ``logged``; ``name`` follows from them."""
        body = gzip.compress("\n".join(lines).encode(), mtime=0)
        self._put(f"{_lines_prefix(function, logged)}{hour}-{name}.json.gz", body)

    def list_lines(self, function: str, first: int) -> Iterator[CollectedObject]:
        """Objects of lines that were logged in hour ``first`` or later, in order of these hours."""
        prefix = f"lines/{function}/"
        parameters = {"Bucket": self._bucket, "Prefix": prefix, "StartAfter": _lines_prefix(function, first)}
        while True:
            page = self._s3.list_objects_v2(**parameters)
            for item in page.get("Contents", ()):
                if collected := _parse_lines_key(item["Key"], prefix):
                    yield collected
            if not page.get("IsTruncated"):
                return
            parameters["ContinuationToken"] = page["NextContinuationToken"]

    def get_lines(self, collected: CollectedObject) -> list[str]:
        """The lines of one object; none if its life has ended meanwhile."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=collected.key)["Body"].read()
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return []
            raise
        return gzip.decompress(body).decode().split("\n")

    def put_hour(self, function: str, hour: int, data: dict[str, Any]) -> None:
        """Write an hour's sums; a look that is repeated writes the same."""
        self._put(hour_key(function, hour), _dump(data))

    def get_hour(self, function: str, hour: int) -> dict[str, Any] | None:
        """An hour's sums, as `hours.Hour.to_json` has them; None if it was not looked at."""
        stored = self._get(hour_key(function, hour))
        return stored and stored.data

    def get_report(self, function: str, name: str) -> dict[str, Any] | None:
        """The report of a day (YYYY-MM-DD), or the "latest"; None if there is none."""
        stored = self._get(f"reports/{function}/{name}.json")
        return stored and stored.data

    def get_reference(self, function: str, baseline: str) -> dict[str, Any] | None:
        """The newest reference under the id ``baseline``: as packaged, or a later one that was accepted."""
        prefix = f"references/{function}/{baseline}/"
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix).get("Contents", [])
        numbers = [
            int(name) for item in listed if (name := item["Key"][len(prefix) :].removesuffix(".json")).isdigit()
        ]
        if not numbers:
            return None
        stored = self._get(f"{prefix}{max(numbers)}.json")
        return None if stored is None else {"number": max(numbers), **stored.data}

    def put_reference(self, function: str, baseline: str, number: int, data: dict[str, Any]) -> bool:
        """Write a reference once; False if there is one of that number."""
        try:
            self._put(reference_key(function, baseline, number), _dump(data), IfNoneMatch="*")
        except WrittenMeanwhile:
            return False
        return True

    def get_state(self, function: str) -> Stored | None:
        """The monitor's state of an endpoint, None before its first look."""
        return self._get(state_key(function))

    def put_state(self, function: str, data: dict[str, Any], before: Stored | None) -> None:
        """Replace the state ``before``; raises `WrittenMeanwhile` if another run has."""
        condition = {"IfNoneMatch": "*"} if before is None else {"IfMatch": before.etag}
        self._put(state_key(function), _dump(data), **condition)

    def put_report(self, function: str, moment: datetime, report: dict[str, Any]) -> None:
        """Keep a report as the day's and as the latest."""
        for name in (f"{moment:%Y-%m-%d}", "latest"):
            self._put(f"reports/{function}/{name}.json", _dump(report))

    def _get(self, key: str) -> Stored | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise
        return Stored(json.loads(gzip.decompress(answer["Body"].read())), answer["ETag"])

    def _put(self, key: str, body: bytes, **condition: str) -> None:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, **condition)
        except ClientError as error:
            # 409: two conditional writes at the same time, of which this one lost.
            if _code(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise WrittenMeanwhile(key) from error
            raise


def moment_of(hour: int) -> datetime:
    """When an hour, counted since 1970, begins."""
    return datetime.fromtimestamp(hour * HOUR_S, UTC)


def hour_key(function: str, hour: int) -> str:
    """The key of an hour's sums; ``hour`` counts hours since 1970."""
    return f"hours/{function}/{moment_of(hour):%Y-%m-%dT%H}.json"


def state_key(function: str) -> str:
    """The key of an endpoint's state."""
    return f"state/{function}.json"


def reference_key(function: str, baseline: str, number: int) -> str:
    """The key of a reference: 0 as packaged, then as accepted."""
    return f"references/{function}/{baseline}/{number}.json"


def is_function(name: str) -> bool:
    """Whether ``name`` can be part of a key."""
    return bool(_FUNCTION.fullmatch(name))


def is_baseline(name: str) -> bool:
    """Whether ``name`` is the id of monitored columns."""
    return bool(_BASELINE.fullmatch(name))


def _dump(data: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(data, allow_nan=False, separators=(",", ":")).encode(), mtime=0)


def _lines_prefix(function: str, hour: int) -> str:
    return f"lines/{function}/{moment_of(hour):%Y-%m-%d/%H}/"


def _parse_lines_key(key: str, prefix: str) -> CollectedObject | None:
    matched = _LINES_KEY.fullmatch(key[len(prefix) :])
    if matched is None:
        return None
    moment = datetime.strptime(f"{matched['moment']} +0000", "%Y-%m-%d/%H %z")
    return CollectedObject(key, int(moment.timestamp()) // HOUR_S, int(matched["hour"]), matched["name"])


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
