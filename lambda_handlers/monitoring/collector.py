"""Keeps the profile lines of the endpoints' logs, and the references of released bundles, in the bucket.

CloudWatch Logs invokes it with what a subscription filter matched, at least once: a batch that is delivered again
is kept again, and the monitor counts each line once. A line that is damaged is logged and left out: an error here
would have Lambda deliver the whole batch again, and again.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample
"""

import base64
import gzip
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import boto3

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.monitored import ENV_BUCKET, Monitored, ProfileLine
from serinus.lambda_handlers.monitoring.store import HOUR_S, Store, is_baseline, is_function

_NAME_DIGITS = 16


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Keep what ``event`` holds: log events of a subscription, or a bundle's reference. Returns how many lines or
    references were kept, and how many lines were damaged."""
    return collect(event, _store())


@lru_cache(maxsize=1)
def _store() -> Store:
    return Store(boto3.client("s3"), os.environ[ENV_BUCKET])


def collect(event: Mapping[str, Any], store: Store) -> dict[str, int]:
    """As `handler`, into ``store``."""
    if "awslogs" in event:
        batch = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        return _keep_lines(batch, store) if batch["messageType"] == "DATA_MESSAGE" else {"kept": 0, "damaged": 0}
    return _keep_reference(event, store)


def _keep_lines(batch: Mapping[str, Any], store: Store) -> dict[str, int]:
    groups: dict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
    damaged, logged_at = 0, max(int(logged["timestamp"]) for logged in batch["logEvents"]) // 1000 // HOUR_S
    for logged in batch["logEvents"]:
        try:
            line = ProfileLine.from_json(json.loads(logged["message"]))
            if not is_function(line.function) or not is_baseline(line.baseline):
                raise ContractError("a profile line is damaged: it names no function or no baseline")
        except (ContractError, ValueError, TypeError) as error:
            damaged += 1
            journal.write("a line was left out", group=batch["logGroup"], id=logged["id"], error=str(error))
            continue
        groups[line.function, int(line.since) // HOUR_S].append((logged["id"], logged["message"]))
    for (function, hour), lines in groups.items():
        digest = hashlib.sha256("\n".join(identity for identity, _ in lines).encode()).hexdigest()
        store.put_lines(function, logged_at, hour, digest[:_NAME_DIGITS], [text.strip() for _, text in lines])
    return {"kept": sum(map(len, groups.values())), "damaged": damaged}


def _keep_reference(event: Mapping[str, Any], store: Store) -> dict[str, int]:
    """Raises `ContractError` for what is no reference."""
    function, monitored = str(event.get("function", "")), Monitored.from_json(event.get("reference") or {})
    if not is_function(function):
        raise ContractError(f"{function!r} is not the name of a function")
    kept = store.put_reference(function, monitored.id, 0, {"reference": monitored.to_json()})
    return {"kept": int(kept), "damaged": 0}
