"""Lets a new role, and a change of a role's policies, act some time after it was made.

IAM is eventually consistent, and states no bound; CloudFormation checks that what it created is operational.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-resource-configuration-complete.html
"""

import random
from dataclasses import dataclass

from serinus.offline.authentication.role_policies import RolePolicies, policies_of, role_arns
from serinus.offline.core.ports import CloudContext


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A role's policies from ``acts_at`` (cloud epoch seconds) on, until the next change acts."""

    acts_at: float
    policies: RolePolicies


class RolePropagation:
    """The policies of roles as they act now."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context
        self._source = random.Random(context.config.seed)
        self._changes: dict[str, list[RoleChange]] = {}

    def observe(self) -> None:
        """Record what has changed of any role. Called after each call of IAM."""
        delay = self._context.config.readings.role_propagation
        if not delay:
            return
        account_id, now = self._context.config.account_id, self._context.clock.time()
        for role in role_arns(account_id):
            policies, changes = policies_of(account_id, role), self._changes.setdefault(role, [])
            if not changes or changes[-1].policies != policies:
                changes.append(RoleChange(now + delay.sample(self._source), policies))

    def policies(self, role: str) -> RolePolicies:
        """The role's policies as they act now: none for a role that is still new."""
        changes = self._changes.get(role)
        if not changes or not self._context.config.readings.role_propagation:
            return policies_of(self._context.config.account_id, role)
        now = self._context.clock.time()
        acting = [change.policies for change in changes if change.acts_at <= now]
        return acting[-1] if acting else RolePolicies((), None)
