"""The judge's objection to a canary or linear release, kept until all traffic has moved.

An alarm on the verdict stops CodeDeploy, but CloudWatch may show a metric minutes after it was sent. The hook
after traffic reads here what the judge has said by then, at whatever look, and refuses the release.
"""

import json
from dataclasses import asdict, dataclass

from serinus.lambda_handlers.contract.release import objection_parameter
from serinus.lambda_handlers.hooks.pending_hook import Parameters, read_parameter

#: A standard parameter holds 4096 bytes (docs.aws.amazon.com/general/latest/gr/ssm.html).
LONGEST_REASON = 600


@dataclass(frozen=True, slots=True)
class Objection:
    """That ``deployment_id`` is to be rolled back, and why."""

    deployment_id: str
    reason: str


def object_to(ssm: Parameters, function: str, objection: Objection) -> None:
    """Leave the objection; it takes the place of one to an earlier deployment."""
    short = Objection(objection.deployment_id, objection.reason[:LONGEST_REASON])
    ssm.put_parameter(
        Name=objection_parameter(function), Value=json.dumps(asdict(short)), Type="String", Overwrite=True
    )


def find_objection(ssm: Parameters, function: str, deployment_id: str) -> Objection | None:
    """The objection to ``deployment_id``; None where there is none, or one to another deployment."""
    text = read_parameter(ssm, objection_parameter(function))
    said = json.loads(text) if text is not None else {}
    return Objection(**said) if said.get("deployment_id") == deployment_id else None
