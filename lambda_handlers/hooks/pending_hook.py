"""A blue_green deployment that waits, all its traffic switched, for the judge's word.

CodeDeploy's last hook hands its execution id over in an SSM parameter; the judge answers in its place.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from serinus.lambda_handlers.contract.release import hold_parameter


class Parameters(Protocol):
    """boto3's SSM client, as far as it is used here."""

    def get_parameter(self, **parameters: Any) -> dict[str, Any]: ...
    def put_parameter(self, **parameters: Any) -> Any: ...
    def delete_parameter(self, **parameters: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Held:
    """The hook that waits for an answer."""

    deployment_id: str
    execution_id: str


def hold(ssm: Parameters, function: str, held: Held) -> None:
    ssm.put_parameter(Name=hold_parameter(function), Value=json.dumps(asdict(held)), Type="String", Overwrite=True)


def find_held(ssm: Parameters, function: str, deployment_id: str) -> Held | None:
    """The hook of ``deployment_id`` that waits; None when there is none, or a left-over of another deployment."""
    text = read_parameter(ssm, hold_parameter(function))
    found = None if text is None else Held(**json.loads(text))
    return found if found is not None and found.deployment_id == deployment_id else None


def read_parameter(ssm: Parameters, name: str) -> str | None:
    """A parameter's value; None where there is no such parameter."""
    try:
        return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise


def release(ssm: Parameters, function: str) -> None:
    """Forget the hook that was answered."""
    ssm.delete_parameter(Name=hold_parameter(function))
