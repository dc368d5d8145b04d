"""Whether AWS WAF's reserved metric names are compared with case."""

from typing import Any

import botocore.exceptions

from serinus.cli.account_check.session import TAG, CheckSession

SCOPE = "REGIONAL"


def observe_reserved_names(session: CheckSession) -> None:
    """Observe waf-reserved-names by web ACLs that stand for a moment and protect nothing."""
    reserved, lower = (_refusal(session, name) for name in ("All", "all"))
    if reserved is None:
        session.observe(
            "waf-reserved-names", None, "a web ACL with the metric name All, which is reserved, was accepted"
        )
    elif lower is None:
        session.observe("waf-reserved-names", "case-sensitive", f"metric name all was accepted; All: {reserved}")
    else:
        session.observe(
            "waf-reserved-names", "case-insensitive", f"metric names all and All were refused: {lower}"
        )


def _refusal(session: CheckSession, metric_name: str) -> str | None:
    """The error for a web ACL with this metric name; None if it was accepted."""
    name = f"{session.run}-{'reserved' if metric_name == 'All' else 'lower'}"
    visibility: dict[str, Any] = {
        "SampledRequestsEnabled": False,
        "CloudWatchMetricsEnabled": False,
        "MetricName": metric_name,
    }
    session.inventory.creating("web acl", name)
    try:
        session.client("wafv2").create_web_acl(
            Name=name,
            Scope=SCOPE,
            DefaultAction={"Allow": {}},
            VisibilityConfig=visibility,
            Tags=[{"Key": TAG, "Value": session.run}],
        )
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "WAFInvalidParameterException":
            raise
        return str(error.response["Error"]["Message"])
    delete_web_acl(session, name)
    return None


def delete_web_acl(session: CheckSession, name: str) -> None:
    """Delete the web ACL ``name``, if there is one."""
    firewall = session.client("wafv2")
    listed = firewall.list_web_acls(Scope=SCOPE, Limit=100)["WebACLs"]
    for acl in (acl for acl in listed if acl["Name"] == name):
        firewall.delete_web_acl(Name=name, Scope=SCOPE, Id=acl["Id"], LockToken=acl["LockToken"])
