"""A blue_green deployment that waits, all its traffic switched, for the judge's verdict.

CodeDeploy's last hook stores its execution id in an SSM parameter; the judge reports in its place.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from serinus.lambda_handlers.contract.release import hold_parameter


class ParameterStore(Protocol):
    """boto3's SSM client, as far as it is used here."""

    def get_parameter(self, **parameters: Any) -> dict[str, Any]: ...
    def put_parameter(self, **parameters: Any) -> Any: ...
    def delete_parameter(self, **parameters: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class PendingHook:
    """The hook execution that CodeDeploy waits for."""

    deployment_id: str
    execution_id: str


def store_pending_hook(ssm: ParameterStore, function: str, pending: PendingHook) -> None:
    ssm.put_parameter(
        Name=hold_parameter(function), Value=json.dumps(asdict(pending)), Type="String", Overwrite=True
    )


def find_pending_hook(ssm: ParameterStore, function: str, deployment_id: str) -> PendingHook | None:
    """The pending hook of ``deployment_id``; None if there is none, or only another deployment's left-over."""
    text = read_parameter(ssm, hold_parameter(function))
    stored = None if text is None else PendingHook(**json.loads(text))
    return stored if stored is not None and stored.deployment_id == deployment_id else None


def read_parameter(ssm: ParameterStore, name: str) -> str | None:
    """A parameter's value; None if there is no such parameter."""
    try:
        return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise


def delete_pending_hook(ssm: ParameterStore, function: str) -> None:
    """Delete the parameter once the hook's status was reported."""
    ssm.delete_parameter(Name=hold_parameter(function))
