"""The service itself: web ACLs of a region, and the stages that they protect."""

import copy
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.readings import Readings
from serinus.offline.core.service import Call, Service
from serinus.offline.core.tags import ResourceTagOperations, from_pairs, to_pairs
from serinus.offline.http.request import GatewayRequest
from serinus.offline.services.wafv2.evaluation import Rates, WebAclVerdict, judge
from serinus.offline.services.wafv2.managed import GROUPS
from serinus.offline.services.wafv2.rules import (
    Document,
    check_action,
    check_group,
    check_metric_name,
    check_rules,
    invalid,
)

STAGE = re.compile(
    r"^arn:aws[\w-]*:apigateway:(?P<region>[\w-]+)::/restapis/(?P<api>\w+)/stages/(?P<stage>[\w-]+)$"
)
NAME = re.compile(r"^[\w-]{1,128}$")
SETTABLE = ("DefaultAction", "Description", "Rules", "VisibilityConfig")
UNMODELLED = (
    "ApplicationConfig",
    "AssociationConfig",
    "CaptchaConfig",
    "ChallengeConfig",
    "CustomResponseBodies",
    "DataProtectionConfig",
    "MonetizationConfig",
    "OnSourceDDoSProtectionConfig",
    "TokenDomains",
)


@dataclass(slots=True)
class WebAcl:
    """``document`` has AWS's shape; ``lock`` changes with every update."""

    document: Document
    tags: dict[str, str]
    lock: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True)
class WebAclStore:
    """Web ACLs by ARN, and by the ARN of the stage that each protects."""

    acls: dict[str, WebAcl] = field(default_factory=dict)
    fronted: dict[str, str] = field(default_factory=dict)


class Wafv2(ResourceTagOperations, Service):
    """Web ACLs. Operations are coroutines without awaits: the gateway reads the same store on the event loop."""

    name = "wafv2"
    missing_parameter = "ValidationException"

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.stores: dict[str, WebAclStore] = {}
        self._rates = Rates()

    def connect(self, ports: Ports) -> None:
        self._metrics = ports.metrics
        self._rest_stages = ports.rest_stages

    def snapshot(self) -> dict[str, WebAclStore]:
        return self.stores

    def restore(self, saved: dict[str, WebAclStore]) -> None:
        self.stores = saved

    def judge(self, region: str, stage_arn: str, request: GatewayRequest, now: float) -> WebAclVerdict | None:
        """The verdict of a stage's web ACL on a request; None if the stage has no web ACL."""
        store = self.stores.get(region)
        acl = store.acls.get(store.fronted.get(stage_arn, "")) if store else None
        if acl is None:
            return None
        verdict = judge(acl.document, self._rates, request, now)
        self._count(region, acl.document, verdict, now)
        return verdict

    def acl_of(self, region: str, stage_arn: str) -> str | None:
        """The ARN of the web ACL in front of a stage."""
        store = self.stores.get(region)
        return store.fronted.get(stage_arn) if store else None

    def drop_associations(self, region: str, is_gone: Callable[[str], bool]) -> None:
        """Drop the associations of deleted stages, by their ARN."""
        store = self.stores.get(region)
        if store is not None:
            store.fronted = {arn: acl for arn, acl in store.fronted.items() if not is_gone(arn)}

    def _count(self, region: str, acl: Document, verdict: WebAclVerdict, now: float) -> None:
        """Record AWS/WAFV2 metrics: for the deciding rule and for all, and for each rule that counted."""

        def record(metric: str, rule: str) -> None:
            dimensions = {"WebACL": acl["VisibilityConfig"]["MetricName"], "Region": region, "Rule": rule}
            self._metrics.record(region, "AWS/WAFV2", metric, dimensions, 1.0, unit="Count", at=now)

        decided = verdict.rule["VisibilityConfig"]["MetricName"] if verdict.rule else "Default_Action"
        for rule in ("ALL", decided):
            record("AllowedRequests" if verdict.allowed else "BlockedRequests", rule)
        for counted in verdict.counted:
            record("CountedRequests", counted["VisibilityConfig"]["MetricName"])

    async def create_web_acl(self, call: Call) -> Document:
        params, store = call.params, self.store(call)
        name = params["Name"]
        if not NAME.match(name):
            raise invalid("ENTITY", name, "A name must have 1 to 128 letters, digits, - and _")
        if any(acl.document["Name"] == name for acl in store.acls.values()):
            raise AwsError("WAFDuplicateItemException", f"AWS WAF couldn't perform the operation: {name} exists")
        identity = str(uuid.uuid4())
        arn = f"arn:aws:wafv2:{call.region}:{call.account_id}:regional/webacl/{name}/{identity}"
        document = {
            "Name": name,
            "Id": identity,
            "ARN": arn,
            "LabelNamespace": f"awswaf:{call.account_id}:webacl:{name}:",
            "ManagedByFirewallManager": False,
        } | settings(params, self.context.config.readings)
        store.acls[arn] = WebAcl(document, from_pairs(params.get("Tags")))
        return {"Summary": summary(store.acls[arn])}

    async def get_web_acl(self, call: Call) -> Document:
        acl = self.acl(call)
        return {"WebACL": copy.deepcopy(acl.document), "LockToken": acl.lock}

    async def list_web_acls(self, call: Call) -> Document:
        return {"WebACLs": [summary(acl) for acl in self.store(call).acls.values()]}

    async def update_web_acl(self, call: Call) -> Document:
        acl = self.locked(call)
        acl.document = {k: v for k, v in acl.document.items() if k not in SETTABLE} | settings(
            call.params, self.context.config.readings
        )
        acl.lock = str(uuid.uuid4())
        return {"NextLockToken": acl.lock}

    async def delete_web_acl(self, call: Call) -> Document:
        acl, store = self.locked(call), self.store(call)
        arn = acl.document["ARN"]
        if arn in store.fronted.values():
            raise AwsError(
                "WAFAssociatedItemException",
                "AWS WAF couldn't perform the operation because your resource is being used by another resource "
                "or it's associated with another resource.",
            )
        del store.acls[arn]
        return {}

    async def associate_web_acl(self, call: Call) -> Document:
        arn, stage = call.params["WebACLArn"], call.params["ResourceArn"]
        self.by_arn(call, arn)
        self.check_stage(call, stage)
        self.store(call).fronted[stage] = arn
        return {}

    async def disassociate_web_acl(self, call: Call) -> Document:
        self.check_stage(call, call.params["ResourceArn"])
        self.store(call).fronted.pop(call.params["ResourceArn"], None)
        return {}

    async def get_web_acl_for_resource(self, call: Call) -> Document:
        self.check_stage(call, call.params["ResourceArn"])
        arn = self.store(call).fronted.get(call.params["ResourceArn"])
        return {"WebACL": copy.deepcopy(self.by_arn(call, arn).document)} if arn else {}

    async def list_resources_for_web_acl(self, call: Call) -> Document:
        arn = call.params["WebACLArn"]
        self.by_arn(call, arn)
        if call.params.get("ResourceType", "API_GATEWAY") != "API_GATEWAY":
            return {"ResourceArns": []}
        return {"ResourceArns": [stage for stage, acl in self.store(call).fronted.items() if acl == arn]}

    async def describe_managed_rule_group(self, call: Call) -> Document:
        self.store(call)
        check_group({"VendorName": call.params["VendorName"], "Name": call.params["Name"]})
        group = GROUPS[call.params["Name"]]
        rules = [{"Name": name, "Action": {"Block": {}}} for name in group.rules]
        return {"Capacity": group.capacity, "Rules": rules}

    async def get_rate_based_statement_managed_keys(self, call: Call) -> Document:
        acl = self.by_id(call, call.params["WebACLName"], call.params["WebACLId"]).document
        for rule in acl["Rules"]:
            if rule["Name"] == call.params["RuleName"] and "RateBasedStatement" in rule["Statement"]:
                addresses = self._rates.limited(acl["ARN"], rule, self.context.clock.time())
                four = {"IPAddressVersion": "IPV4", "Addresses": [f"{ip}/32" for ip in addresses if ":" not in ip]}
                six = {"IPAddressVersion": "IPV6", "Addresses": [f"{ip}/128" for ip in addresses if ":" in ip]}
                return {"ManagedKeysIPV4": four, "ManagedKeysIPV6": six}
        raise nonexistent(call.params["RuleName"])

    async def list_tags_for_resource(self, call: Call) -> Document:
        tags = to_pairs(self.tags_of(call))
        return {"TagInfoForResource": {"ResourceARN": call.params["ResourceARN"], "TagList": tags}}

    def tags_of(self, call: Call) -> dict[str, str]:
        return self.by_arn(call, call.params["ResourceARN"]).tags

    def store(self, call: Call) -> WebAclStore:
        if call.params.get("Scope") == "CLOUDFRONT":
            raise NotModelled("wafv2: the scope CLOUDFRONT", "REGIONAL is.")
        return self.stores.setdefault(call.region, WebAclStore())

    def acl(self, call: Call) -> WebAcl:
        if call.params.get("ARN"):
            return self.by_arn(call, call.params["ARN"])
        return self.by_id(call, call.params.get("Name", ""), call.params.get("Id", ""))

    def by_id(self, call: Call, name: str, identity: str) -> WebAcl:
        for acl in self.store(call).acls.values():
            if (acl.document["Name"], acl.document["Id"]) == (name, identity):
                return acl
        raise nonexistent(f"{name}/{identity}")

    def by_arn(self, call: Call, arn: str) -> WebAcl:
        try:
            return self.store(call).acls[arn]
        except KeyError:
            raise nonexistent(arn) from None

    def locked(self, call: Call) -> WebAcl:
        acl = self.acl(call)
        if call.params["LockToken"] != acl.lock:
            raise AwsError(
                "WAFOptimisticLockException",
                "AWS WAF couldn't save your changes because someone changed the resource after you started to "
                "edit it. Reapply your changes.",
            )
        return acl

    def check_stage(self, call: Call, arn: str) -> None:
        """Raise unless ``arn`` is a stage of a REST API here: a web ACL can protect nothing else."""
        match = STAGE.match(arn)
        if match is None:
            raise invalid(
                "RESOURCE_ARN", arn, "The ARN isn't valid: a stage of an API Gateway REST API is expected"
            )
        stages = self._rest_stages.stage_names(call.region, match["api"]) or ()
        if match["region"] != call.region or match["stage"] not in stages:
            raise nonexistent(arn)


def settings(params: Document, readings: Readings) -> Document:
    """A web ACL's settings; raises for settings that AWS rejects or this cloud does not model."""
    for name in UNMODELLED:
        if params.get(name):
            raise NotModelled(f"wafv2: {name}")
    rules = copy.deepcopy(params.get("Rules") or [])
    for counted in (params, *rules):
        check_metric_name(counted["VisibilityConfig"]["MetricName"], readings)
    check_action(params["DefaultAction"])
    if "Count" in params["DefaultAction"]:
        raise invalid("DEFAULT_ACTION", "Count", "The default action must be Allow or Block")
    return {
        "DefaultAction": params["DefaultAction"],
        "Description": params.get("Description") or "",
        "Rules": rules,
        "VisibilityConfig": params["VisibilityConfig"],
        "Capacity": check_rules(rules),
    }


def summary(acl: WebAcl) -> Document:
    acl_summary = {name: acl.document[name] for name in ("Name", "Id", "ARN", "Description")}
    return acl_summary | {"LockToken": acl.lock}


def nonexistent(what: str) -> AwsError:
    return AwsError(
        "WAFNonexistentItemException",
        f"AWS WAF couldn't perform the operation because your resource doesn't exist. ({what})",
    )
