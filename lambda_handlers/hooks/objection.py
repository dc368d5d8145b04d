"""The judge's objection to a canary or linear release, kept until all traffic has moved.

An alarm on the verdict stops CodeDeploy, but CloudWatch may show a metric minutes after it was sent. The hook
after traffic reads the objection here, whichever look it is from, and fails the release.
"""

import json
from dataclasses import asdict, dataclass

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.contract.release import objection_parameter
from serinus.lambda_handlers.hooks.pending_hook import ParameterStore, read_parameter

#: A standard parameter holds 4096 bytes (docs.aws.amazon.com/general/latest/gr/ssm.html).
LONGEST_REASON = 600


@dataclass(frozen=True, slots=True)
class Objection:
    """The judge's demand to roll back ``deployment_id``, and its reason."""

    deployment_id: str
    reason: str


def store_objection(ssm: ParameterStore, function: str, objection: Objection) -> bool:
    """Store the objection, which replaces one to an earlier deployment; returns whether it is the first to this
    one, as far as that can be read."""
    first = _is_first(ssm, function, objection)
    short = Objection(objection.deployment_id, objection.reason[:LONGEST_REASON])
    ssm.put_parameter(
        Name=objection_parameter(function), Value=json.dumps(asdict(short)), Type="String", Overwrite=True
    )
    return first


def _is_first(ssm: ParameterStore, function: str, objection: Objection) -> bool:
    try:
        return find_objection(ssm, function, objection.deployment_id) is None
    except Exception as error:  # noqa: BLE001 - nothing may keep the objection from being stored
        journal.write("the objection before this one could not be read", error=repr(error))
        return True


def find_objection(ssm: ParameterStore, function: str, deployment_id: str) -> Objection | None:
    """The objection to ``deployment_id``; None if there is none, or one to another deployment."""
    text = read_parameter(ssm, objection_parameter(function))
    stored = json.loads(text) if text is not None else {}
    return Objection(**stored) if stored.get("deployment_id") == deployment_id else None
