"""The API keys of an endpoint: the stack's own, and those that a rotation adds.

CloudFormation owns the stack's key, so a rotation leaves it in place: a new key joins the same usage plan, and the
stack's own is disabled, never deleted. CloudFormation changes a key only when its template changes, so a deploy
neither recreates nor enables it again. A tag marks rotated keys, so that they can be found and deleted.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

import botocore.exceptions

from serinus.cli.errors import CliError

#: Marks the keys that rotations created, with the stack's name.
TAG = "serinus:rotated-for"
LARGEST_PAGE = 500

Origin = Literal["stack", "rotation", "other"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key on the endpoint's usage plan. ``origin`` "other" is a key that serinus did not create;
    ``requests_today`` counts since midnight UTC."""

    id: str
    value: str
    origin: Origin
    created_at: datetime
    enabled: bool
    requests_today: int

    def to_json(self) -> dict[str, Any]:
        fields = asdict(self)
        return fields | {"made_at": fields.pop("created_at").isoformat()}


class KeyRing:
    """The keys of one stack's usage plan; the stack's own key has the ID ``stack_key``."""

    def __init__(self, apigateway: Any, stack: str, stack_key: str) -> None:
        self._apigateway = apigateway
        self._stack = stack
        self._stack_key = stack_key

    def listed(self, *, usage_of: datetime | None = None) -> list[ApiKey]:
        """The keys on the usage plan, newest first; with the requests of the day of ``usage_of``."""
        described = {key["id"]: key for key in self._described()}
        on_plan = self._pages("get_usage_plan_keys", usagePlanId=self._plan)
        used = self._used(usage_of) if usage_of else {}
        keys = [self._key(described[entry["id"]], used) for entry in on_plan if entry["id"] in described]
        return sorted(keys, key=lambda key: (key.created_at, key.origin != "stack"), reverse=True)

    def current(self) -> ApiKey:
        """The newest enabled key that serinus created; raises `CliError` if there is none."""
        return current_of(self.listed(), self._stack)

    def rotate(self, now: datetime) -> ApiKey:
        """Create a key on the usage plan; the others stay valid."""
        created = self._apigateway.create_api_key(
            name=f"{self._stack}-{now:%Y%m%dT%H%M%S}",
            description=f"Rotated key of {self._stack}",
            enabled=True,
            tags={TAG: self._stack},
        )
        try:
            self._apigateway.create_usage_plan_key(usagePlanId=self._plan, keyId=created["id"], keyType="API_KEY")
        except BaseException:
            self._apigateway.delete_api_key(apiKey=created["id"])
            raise
        return self._key(created, {})

    def revoke(self, key_id: str) -> ApiKey:
        """Delete ``key_id`` if a rotation created it, else disable it; returns the key as it was. Raises
        `CliError` for a key that is not on the plan, and for the last enabled one."""
        keys = self.listed()
        key = next((key for key in keys if key.id == key_id), None)
        if key is None:
            ids = ", ".join(key.id for key in keys)
            raise CliError(f"{self._stack} has no key with ID {key_id!r}; its keys are {ids}.")
        if not any(key.enabled and key.id != key_id for key in keys):
            raise CliError(
                f"{key_id} is the last enabled key of {self._stack}. Create another one first, with `--rotate`."
            )
        if key.origin == "rotation":
            self._apigateway.delete_api_key(apiKey=key_id)
        else:
            disable = {"op": "replace", "path": "/enabled", "value": "false"}
            self._apigateway.update_api_key(apiKey=key_id, patchOperations=[disable])
        return key

    @cached_property
    def _plan(self) -> str:
        plans = self._pages("get_usage_plans", keyId=self._stack_key)
        if not plans:
            raise CliError(
                f"the key {self._stack_key} of stack {self._stack} is no longer on a usage plan. Add it to its "
                "plan "
                "again, or deploy the stack again."
            )
        return str(plans[0]["id"])

    def _described(self) -> list[dict[str, Any]]:
        return self._pages("get_api_keys", includeValues=True)

    def _pages(self, operation: str, **parameters: Any) -> list[dict[str, Any]]:
        pages = self._apigateway.get_paginator(operation).paginate(
            **parameters, PaginationConfig={"PageSize": LARGEST_PAGE}
        )
        return [item for page in pages for item in page.get("items", ())]

    def _key(self, description: dict[str, Any], used: dict[str, int]) -> ApiKey:
        rotated = description.get("tags", {}).get(TAG) == self._stack
        origin: Origin = "stack" if description["id"] == self._stack_key else "rotation" if rotated else "other"
        return ApiKey(
            description["id"],
            description["value"],
            origin,
            description["createdDate"].astimezone(UTC),
            bool(description.get("enabled")),
            used.get(description["id"], 0),
        )

    def _used(self, now: datetime) -> dict[str, int]:
        """Requests of the day of ``now``, by key."""
        day = now.astimezone(UTC).date().isoformat()
        items = self._apigateway.get_usage(usagePlanId=self._plan, startDate=day, endDate=day)["items"]
        return {key_id: sum(used for used, _left in days) for key_id, days in items.items()}


def current_of(keys: list[ApiKey], stack: str) -> ApiKey:
    """The newest enabled one of ``keys`` that serinus created."""
    newest = next((key for key in keys if key.enabled and key.origin != "other"), None)
    if newest is None:
        raise CliError(f"every key of {stack} is disabled. `serinus key` with --rotate creates one.")
    return newest


def drop_rotated(apigateway: Any, stack: str) -> int:
    """Delete the keys that rotations created for ``stack``, which no longer exists; returns how many."""
    pages = apigateway.get_paginator("get_api_keys").paginate(nameQuery=f"{stack}-")
    ids = [key["id"] for page in pages for key in page["items"] if key.get("tags", {}).get(TAG) == stack]
    for key_id in ids:
        try:
            apigateway.delete_api_key(apiKey=key_id)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise
    return len(ids)
