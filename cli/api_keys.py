"""The API keys of an endpoint: the stack's own, and those that a rotation puts beside it.

CloudFormation owns the stack's key, so a rotation leaves it in place: a new key joins the same usage plan, and the
stack's own is disabled, never deleted. CloudFormation changes a key only when its template changes, so a deploy
neither makes it again nor opens it again. Rotated keys bear a tag by which they are found and cleared up.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

import botocore.exceptions

from serinus.cli.errors import CliError

#: Marks the keys that rotations made, with the stack's name.
TAG = "serinus:rotated-for"
LARGEST_PAGE = 500

Origin = Literal["stack", "rotation", "other"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key on the endpoint's usage plan. ``origin`` "other" was put there by somebody else, and is theirs;
    ``requests_today`` counts since midnight UTC."""

    id: str
    value: str
    origin: Origin
    made_at: datetime
    enabled: bool
    requests_today: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"made_at": self.made_at.isoformat()}


class KeyRing:
    """The keys that open the stage of one stack, whose own key has the id ``stack_key``."""

    def __init__(self, apigateway: Any, stack: str, stack_key: str) -> None:
        self._apigateway = apigateway
        self._stack = stack
        self._stack_key = stack_key

    def listed(self, *, usage_of: datetime | None = None) -> list[ApiKey]:
        """The keys on the usage plan, newest first; with the requests of the day of ``usage_of``."""
        described = {key["id"]: key for key in self._described()}
        on_plan = self._pages("get_usage_plan_keys", usagePlanId=self._plan)
        used = self._used(usage_of) if usage_of else {}
        found = [self._key(described[one["id"]], used) for one in on_plan if one["id"] in described]
        return sorted(found, key=lambda key: (key.made_at, key.origin != "stack"), reverse=True)

    def current(self) -> ApiKey:
        """The newest key of ours that is enabled; `CliError` where none is."""
        return current_of(self.listed(), self._stack)

    def rotate(self, now: datetime) -> ApiKey:
        """Make a key and put it on the plan; the others stay valid."""
        made = self._apigateway.create_api_key(
            name=f"{self._stack}-{now:%Y%m%dT%H%M%S}",
            description=f"Rotated key of {self._stack}",
            enabled=True,
            tags={TAG: self._stack},
        )
        try:
            self._apigateway.create_usage_plan_key(usagePlanId=self._plan, keyId=made["id"], keyType="API_KEY")
        except BaseException:
            self._apigateway.delete_api_key(apiKey=made["id"])
            raise
        return self._key(made, {})

    def revoke(self, key_id: str) -> ApiKey:
        """Close ``key_id``: delete it where a rotation made it, disable it otherwise; returns what it was.
        `CliError` for one that is not on the plan, and for the last that callers could use."""
        keys = self.listed()
        found = next((key for key in keys if key.id == key_id), None)
        if found is None:
            known = ", ".join(key.id for key in keys)
            raise CliError(f"no key {key_id!r} opens {self._stack}; its keys are {known}.")
        if not any(key.enabled and key.id != key_id for key in keys):
            raise CliError(
                f"{key_id} is the last key that opens {self._stack}. Make another first, with `--rotate`."
            )
        if found.origin == "rotation":
            self._apigateway.delete_api_key(apiKey=key_id)
        else:
            closed = {"op": "replace", "path": "/enabled", "value": "false"}
            self._apigateway.update_api_key(apiKey=key_id, patchOperations=[closed])
        return found

    @cached_property
    def _plan(self) -> str:
        plans = self._pages("get_usage_plans", keyId=self._stack_key)
        if not plans:
            raise CliError(
                f"the key {self._stack_key} of stack {self._stack} is on no usage plan any more; deploy the stack "
                "again, or put it back on its plan."
            )
        return str(plans[0]["id"])

    def _described(self) -> list[dict[str, Any]]:
        return self._pages("get_api_keys", includeValues=True)

    def _pages(self, operation: str, **parameters: Any) -> list[dict[str, Any]]:
        pages = self._apigateway.get_paginator(operation).paginate(
            **parameters, PaginationConfig={"PageSize": LARGEST_PAGE}
        )
        return [item for page in pages for item in page.get("items", ())]

    def _key(self, found: dict[str, Any], used: dict[str, int]) -> ApiKey:
        rotated = found.get("tags", {}).get(TAG) == self._stack
        origin: Origin = "stack" if found["id"] == self._stack_key else "rotation" if rotated else "other"
        return ApiKey(
            found["id"],
            found["value"],
            origin,
            found["createdDate"].astimezone(UTC),
            bool(found.get("enabled")),
            used.get(found["id"], 0),
        )

    def _used(self, now: datetime) -> dict[str, int]:
        """Requests of the day of ``now``, by key."""
        day = now.astimezone(UTC).date().isoformat()
        items = self._apigateway.get_usage(usagePlanId=self._plan, startDate=day, endDate=day)["items"]
        return {key_id: sum(used for used, _left in days) for key_id, days in items.items()}


def current_of(keys: list[ApiKey], stack: str) -> ApiKey:
    """The newest of ``keys`` that is ours and enabled."""
    found = next((key for key in keys if key.enabled and key.origin != "other"), None)
    if found is None:
        raise CliError(f"every key of {stack} is disabled. `serinus key` with --rotate makes one.")
    return found


def drop_rotated(apigateway: Any, stack: str) -> int:
    """Delete the keys that rotations made for ``stack``, which is gone; returns how many."""
    pages = apigateway.get_paginator("get_api_keys").paginate(nameQuery=f"{stack}-")
    ids = [key["id"] for page in pages for key in page["items"] if key.get("tags", {}).get(TAG) == stack]
    for key_id in ids:
        try:
            apigateway.delete_api_key(apiKey=key_id)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise
    return len(ids)
