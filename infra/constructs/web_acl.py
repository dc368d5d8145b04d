"""A web ACL of AWS WAF in front of a REST API's stage: a rate by address, and AWS's managed rules.

Requests are counted and never sampled: samples hold callers' headers and addresses.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html
"""

from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from serinus.infra.settings import WafSettings

_WINDOW_S = 300
#: WAF reserves metric names, for example All and Default_Action, and does not say whether by case.
#: https://docs.aws.amazon.com/waf/latest/APIReference/API_VisibilityConfig.html
_ACL_METRIC = "web-acl"
#: Its rule against bodies above 8 KB would refuse most requests of many rows; the function limits bodies itself.
_COMMON, _BODY_RULE = "AWSManagedRulesCommonRuleSet", "SizeRestrictions_BODY"


class WebAcl(Construct):
    """``acl`` with the rules of ``rules``, in front of the stage ``stage_arn``."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, stage_arn: str, rules: WafSettings
    ) -> None:
        super().__init__(scope, construct_id)
        groups = [_managed(group, priority, rules) for priority, group in enumerate(rules.managed_rules, start=1)]
        self.acl = wafv2.CfnWebACL(
            self,
            "Acl",
            name=name,
            description=f"In front of {name}",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_counted(_ACL_METRIC),
            rules=[*([_rate(rules.ip_rate_limit, rules)] if rules.ip_rate_limit else []), *groups],
        )
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=stage_arn, web_acl_arn=self.acl.attr_arn)


def _rate(limit: int, rules: WafSettings) -> wafv2.CfnWebACL.RuleProperty:
    action = wafv2.CfnWebACL.RuleActionProperty
    return wafv2.CfnWebACL.RuleProperty(
        name="ip-rate",
        priority=0,
        action=action(count={}) if rules.count_only else action(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=limit, evaluation_window_sec=_WINDOW_S
            )
        ),
        visibility_config=_counted("ip-rate"),
    )


def _managed(group: str, priority: int, rules: WafSettings) -> wafv2.CfnWebACL.RuleProperty:
    override = wafv2.CfnWebACL.OverrideActionProperty
    let_pass = wafv2.CfnWebACL.RuleActionOverrideProperty(
        name=_BODY_RULE, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
    )
    return wafv2.CfnWebACL.RuleProperty(
        name=group,
        priority=priority,
        override_action=override(count={}) if rules.count_only else override(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=group,
                rule_action_overrides=[let_pass] if group == _COMMON else None,
            )
        ),
        visibility_config=_counted(group),
    )


def _counted(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
