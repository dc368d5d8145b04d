"""What every part of a check works with: the account, the names of what is made in it, and what was observed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from serinus.cli.account_check.inventory import Inventory
from serinus.cli.account_check.observation import Observation
from serinus.cli.account_check.waiting import Waiting
from serinus.cli.target import CloudTarget
from serinus.infra.names import DEFAULT_ENVIRONMENT, stack_name

#: All that is made is named with it: stacks, functions, roles.
PREFIX = "serinus-check-"
#: The tag of every stack of a check, and of what it makes besides; its value is the run's project name.
TAG = "serinus-account-check"
ENDPOINT = "check"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who checks which account."""

    account: str
    region: str
    arn: str

    @property
    def is_root(self) -> bool:
        return self.arn.endswith(":root")


@dataclass
class CheckSession:
    """One run in one account. ``run`` is the project name of its stacks."""

    target: CloudTarget
    caller: Caller
    run: str
    waiting: Waiting
    inventory: Inventory
    show: Callable[[str], None]
    observations: dict[str, Observation] = field(default_factory=dict)
    #: Of each look at a deployment before its shift, whether its target had the function's versions.
    looks_before_shift: list[bool] = field(default_factory=list)

    @property
    def stack(self) -> str:
        """The stack of the endpoint, and its function."""
        return stack_name(self.run, DEFAULT_ENVIRONMENT, ENDPOINT)

    def now(self) -> float:
        return self.waiting.clock.now()

    def client(self, service: str) -> Any:
        """A boto3 client, made once."""
        if service not in self._clients:
            self._clients[service] = self.target.client(service)
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Close the clients' connections."""
        for client in self._clients.values():
            client.close()

    def observe(self, reading: str, value: str | None, *evidence: str) -> None:
        """Record what was observed; a later observation replaces an earlier one."""
        self.observations[reading] = Observation(reading, value, evidence, self.now())
        shown = value if value is not None else "not observed"
        self.show(f"{reading}: {shown} ({evidence[0]})" if evidence else f"{reading}: {shown}")

    def function_arn(self, name: str) -> str:
        return f"arn:aws:lambda:{self.caller.region}:{self.caller.account}:function:{name}"
