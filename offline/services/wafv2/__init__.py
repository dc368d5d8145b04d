"""AWS WAF: web ACLs with rate-based rules and AWS's managed rule groups, in front of stages of REST APIs."""

from serinus.offline.services.wafv2.service import Wafv2

__all__ = ["Wafv2"]
