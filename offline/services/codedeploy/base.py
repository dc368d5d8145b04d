"""Shared by CodeDeploy's groups of operations: state by region, names, pages and tags."""

import re
from collections.abc import Sequence
from typing import TypeVar

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.pages import page
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.service import Call, Service
from serinus.offline.services.codedeploy.records import Application, CodeDeployRegion, Group
from serinus.offline.services.codedeploy.state_machine import DeploymentMachine
from serinus.offline.services.codedeploy.traffic import predefined

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9._+=,@-]{1,100}")
PAGE = 100


class CodeDeployBase(Service):
    """State and checks of all operations. Operations are coroutines: everything runs on the event loop."""

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.regions: dict[str, CodeDeployRegion] = {}

    def connect(self, ports: Ports) -> None:
        self.alarms = ports.alarms
        self.machine = DeploymentMachine(self.context, self.regions, ports)

    def region(self, name: str) -> CodeDeployRegion:
        if name not in self.regions:
            self.regions[name] = CodeDeployRegion(configs=predefined())
        return self.regions[name]

    def application(self, region: str, name: str | None) -> Application:
        """The application; raises AWS's error for a missing, malformed or unknown name."""
        if not name:
            raise fault("ApplicationNameRequiredException", "An application name is required.")
        check_name(name, "application", "InvalidApplicationNameException")
        existing = self.region(region).applications.get(name)
        if existing is None:
            raise fault("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return existing

    def group(self, region: str, application: str | None, name: str | None) -> Group:
        """The deployment group; raises AWS's error for a missing, malformed or unknown name."""
        owner = self.application(region, application)
        if not name:
            raise fault("DeploymentGroupNameRequiredException", "A deployment group name is required.")
        check_name(name, "deployment group", "InvalidDeploymentGroupNameException")
        existing = self.region(region).groups.get((owner.name, name))
        if existing is None:
            raise fault("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
        return existing

    def arn(self, region: str, rest: str) -> str:
        return f"arn:aws:codedeploy:{region}:{self.context.config.account_id}:{rest}"


def fault(code: str, message: str) -> AwsError:
    return AwsError(code, message, status=400)


def check_name(name: str, what: str, code: str) -> None:
    if not NAME.fullmatch(name):
        raise fault(
            code,
            f"The {what} name {name!r} is not valid; it must have 1 to 100 letters, digits and . _ + = , @ -",
        )


def refuse_members(call: Call, names: Sequence[str]) -> None:
    """Reject members of another compute platform, or that this cloud does not model."""
    for name in names:
        if call.params.get(name):
            raise NotModelled(f"{name} of {call.operation}", "Use the Lambda compute platform.")


def require_lambda(platform: str | None, operation: str) -> None:
    if platform != "Lambda":
        shown = platform or "Server (the default)"
        raise NotModelled(f"the compute platform {shown} of {operation}", "Pass computePlatform Lambda.")


def paged(items: Sequence[T], call: Call) -> tuple[Sequence[T], dict[str, str]]:
    """A page of at most 100, and the response's member with the next token."""
    token = call.params.get("nextToken")
    unknown = fault("InvalidNextTokenException", f"The token {token!r} was not returned by this operation.")
    return page(items, PAGE, token, operation=call.operation, member="nextToken", unknown=unknown)
