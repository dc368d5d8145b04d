"""Checks functions' calls against their roles' policies, and records each check.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from moto.core.request import Request
from moto.core.utils import get_service_model
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serinus.offline.authorization.actions import ALWAYS_ALLOWED, PREFIXES, action_of
from serinus.offline.authorization.api_call import ApiCall
from serinus.offline.authorization.denial import Reason, denied
from serinus.offline.authorization.policy import Access, Effect, effect_of
from serinus.offline.authorization.required_access import accesses_of
from serinus.offline.authorization.role_propagation import RolePropagation
from serinus.offline.core import protocol
from serinus.offline.core.ports import CloudContext, Ports

#: Distinct accesses kept; the oldest are dropped first.
MAX_ACCESS_RECORDS = 20_000


@dataclass(frozen=True, slots=True)
class Session:
    """A function's assumed role: ``arn`` is the caller's name in IAM."""

    role: str
    arn: str


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """A role's request for an action on a resource (None: unknown), and whether ``allowed``."""

    role: str
    action: str
    resource: str | None
    allowed: bool


class Authorizer:
    """Checks calls with functions' temporary credentials only."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context
        self._sessions: dict[str, Session] = {}
        self._records: Counter[AccessRecord] = Counter()
        self.propagation = RolePropagation(context)

    def connect(self, ports: Ports) -> None:
        """Called once all services exist, before the first request."""
        self._deployment_groups = ports.deployment_groups

    def watch(self, access_key: str, role: str, session_name: str) -> None:
        """Check calls with ``access_key`` against the policies of ``role`` (an ARN) from now on."""
        account_id = self._context.config.account_id
        arn = f"arn:aws:sts::{account_id}:assumed-role/{role.rsplit('/', 1)[-1]}/{session_name}"
        self._sessions[access_key] = Session(role, arn)

    def session(self, access_key: str) -> Session | None:
        """The session of these credentials; None if they are not a function's."""
        return self._sessions.get(access_key)

    def refusal(
        self, session: Session, request: Request, signed_as: str, region: str
    ) -> protocol.AwsResponse | None:
        """The AccessDenied response to a call; None if it is allowed.

        Raises `NotModelled` for a call that is in no service's model.
        """
        service = "stepfunctions" if signed_as == "states" else PREFIXES.get(signed_as, signed_as)
        if service == "apigateway" and request.path.startswith("/v2/"):
            service = "apigatewayv2"
        model = get_service_model(service)
        operation, url_params = protocol.operation_of(model, request)
        call = ApiCall(
            account_id=self._context.config.account_id,
            deployment_groups=self._deployment_groups,
            service=PREFIXES.get(signed_as, signed_as),
            operation=operation,
            action=action_of(signed_as, operation),
            params=protocol.read_parameters(model, request, operation, url_params),
            region=region,
            method=request.method,
            path=request.path,
            readings=self._context.config.readings,
        )
        for access in accesses_of(call):
            reason = self.reason_against(session.role, access, region, caller=session.arn)
            if reason is not None:
                error = denied(
                    signed_as,
                    protocol.protocol_of(model, request),
                    session.arn,
                    access.action,
                    access.resource,
                    reason,
                )
                return protocol.write_answer(model, request, operation, error)
        return None

    def allows(self, role: str, action: str, resource: str, region: str) -> bool:
        """Whether ``role`` allows an action that the cloud does for it, such as writing a function's log."""
        return self.reason_against(role, Access(action, resource), region, caller=role) is None

    def reason_against(self, role: str, access: Access, region: str, *, caller: str) -> Reason | None:
        """Why an access is denied, or None; recorded either way."""
        reason = None if access.action in ALWAYS_ALLOWED else self._reason(role, access, region, caller)
        self._records[AccessRecord(role, access.action, access.resource, reason is None)] += 1
        while len(self._records) > MAX_ACCESS_RECORDS:
            del self._records[next(iter(self._records))]
        return reason

    def _reason(self, role: str, access: Access, region: str, caller: str) -> Reason | None:
        policies = self.propagation.policies(role)
        context = {**self._condition_keys(role, caller, region), **dict(access.context)}
        effect = effect_of(policies.identity, access, context)
        if effect is not Effect.ALLOW:
            return "explicit" if effect is Effect.DENY else "implicit"
        if policies.boundary is None:
            return None
        bound = effect_of([policies.boundary], access, context)
        if bound is Effect.ALLOW:
            return None
        return "boundary_explicit" if bound is Effect.DENY else "boundary"

    def _condition_keys(self, role: str, caller: str, region: str) -> dict[str, tuple[str, ...]]:
        account_id = self._context.config.account_id
        now = self._context.clock.now()
        return {
            "aws:currenttime": (now.isoformat(),),
            "aws:epochtime": (str(int(now.timestamp())),),
            "aws:principalaccount": (account_id,),
            "aws:principalarn": (role,),
            "aws:principaltype": ("AssumedRole",),
            "aws:requestedregion": (region,),
            "aws:resourceaccount": (account_id,),
            # As on AWS: here it is this cloud's own address that has no TLS.
            "aws:securetransport": ("true",),
            "aws:viaawsservice": ("false",),
            "lambda:sourcefunctionarn": self._source_function(caller, region),
        }

    def _source_function(self, caller: str, region: str) -> tuple[str, ...]:
        function = caller.rsplit("/", 1)[-1]
        return (f"arn:aws:lambda:{region}:{self._context.config.account_id}:function:{function}",)

    def uses(self, role: str | None = None) -> list[dict[str, Any]]:
        """The recorded accesses with their counts, of one role (an ARN) or all."""
        recorded = list(self._records.items())
        return [{**asdict(use), "count": count} for use, count in recorded if role in (None, use.role)]

    def routes(self) -> list[Route]:
        """``GET /_offline/iam/uses?role=ARN``: each action and resource that functions requested."""

        async def uses(request: HttpRequest) -> Response:
            return JSONResponse({"uses": self.uses(request.query_params.get("role"))})

        return [Route("/_offline/iam/uses", uses, methods=["GET"])]
