"""AWS WAF, as the gateway uses it: the web ACL of a stage."""

from typing import Protocol

from serinus.offline.http.request import GatewayRequest


class FirewallVerdict(Protocol):
    """Whether a request may pass."""

    @property
    def allowed(self) -> bool: ...


class Firewall(Protocol):
    """AWS WAF: evaluating requests against web ACLs."""

    def judge(self, region: str, stage_arn: str, request: GatewayRequest, now: float) -> FirewallVerdict | None:
        """The verdict of the stage's web ACL at cloud time ``now``; None if it has none."""
