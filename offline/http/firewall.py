"""The web ACL in front of a stage, as the gateway uses AWS WAF."""

from typing import Protocol

from serinus.offline.http.request import GatewayRequest


class FirewallVerdict(Protocol):
    """Whether a request may pass."""

    @property
    def allowed(self) -> bool: ...


class Firewall(Protocol):
    """AWS WAF: holding requests against web ACLs."""

    def judge(self, region: str, stage_arn: str, request: GatewayRequest, now: float) -> FirewallVerdict | None:
        """The verdict of the web ACL in front of a stage, at cloud time ``now``; None where there is none."""
